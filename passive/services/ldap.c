/*
 * LDAP of a domain controller.
 *
 * Everybody may read the rootDSE, which names domain and machine; what is below asks for a bind.
 * Simple binds are told with their password, NTLM with what proves it.  A search is told with its
 * base, which is also what a Java server asks for that was lured here by a lookup of its own.
 */
#include "passive/accounts.h"
#include "passive/persona.h"
#include "passive/services/ldap/exchanges.h"
#include "passive/services/windows/der.h"
#include "passive/services/windows/wide.h"
#include "passive/services/windows/system.h"

#define MESSAGE_MAX 16384
#define TEXT_MAX 256
#define FILTER_DEPTH_MAX 8
#define FILTER_PARTS_MAX 32

enum operation {
	BIND = 0x60,
	BIND_ANSWER = 0x61,
	UNBIND = 0x42,
	SEARCH = 0x63,
	SEARCH_ENTRY = 0x64,
	SEARCH_DONE = 0x65,
	ABANDON = 0x50,
	EXTENDED = 0x77,
	EXTENDED_ANSWER = 0x78,
};

enum result {
	SUCCESS,
	OPERATIONS_ERROR,
	PROTOCOL_ERROR,
	AUTH_UNSUPPORTED = 7,
	IN_PROGRESS = 14,
	NO_SUCH_OBJECT = 32,
	INVALID_CREDENTIALS = 49,
	UNWILLING = 53,
};

struct ldap_device {
	struct windows_identity identity; /* first, as all services have it */
	struct option_list accounts;
};

struct ldap {
	const struct ldap_device *device;
	const struct windows_system *system;
	struct ntlm_host host;
	char base[TEXT_MAX]; /* "DC=corp,DC=local" */
	uint8_t challenge[8];
	bool bound, securing;
};

struct attribute {
	const char *name, *value;
};

static void base_of(const char *domain, char out[TEXT_MAX])
{
	struct writer w = writer_of(out, TEXT_MAX - 1);
	write_text(&w, "DC=");
	for (; *domain; domain++)
		if (*domain == '.')
			write_text(&w, ",DC=");
		else
			write_u8(&w, (uint8_t)*domain);
	*w.at = '\0';
}

static enum service_next ldap_open(struct session *s, void *state)
{
	struct ldap *l = state;
	if (l->device)
		return SERVICE_CONTINUE;
	l->device = session_device(s);
	struct windows_identity identity = l->device->identity;
	l->system = windows_host(s, &identity, &l->host);
	if (!l->host.dns_forest[0]) { /* a controller has a domain */
		identity.domain = "corp.local";
		l->system = windows_host(s, &identity, &l->host);
	}
	base_of(l->host.dns_domain, l->base);
	return SERVICE_CONTINUE;
}

static void say_message(struct session *s, struct bytes id, uint8_t type, struct bytes content)
{
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);
	der_write_head(&w, 0x30, der_whole(id.len) + der_whole(content.len));
	der_write(&w, 0x02, id);
	der_write_head(&w, type, content.len);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, content);
}

/* LDAPResult (RFC 4511 4.1.9), and for binds the server's credentials. */
static void say_result(struct session *s, struct bytes id, uint8_t type, enum result result,
		       const char *words, struct bytes credentials)
{
	uint8_t room[2048];
	struct writer w = writer_of(room, sizeof room);
	const uint8_t head[] = {0x0a, 1, (uint8_t)result, 0x04, 0};
	write_bytes(&w, head, sizeof head);
	der_write(&w, 0x04, bytes_of_text(words));
	if (credentials.len)
		der_write(&w, 0x87, credentials);
	say_message(s, id, type, writer_bytes(&w));
}

static const struct bytes nothing;

/* The account that a bind names: a DN, name@domain, DOMAIN\name, or the name alone. */
static struct bytes account_of(struct bytes name)
{
	size_t from = 0, to = name.len;
	if (name.len > 3 && names_equal((struct bytes){name.at, 3}, BYTES("CN="))) {
		from = 3;
		for (to = from; to < name.len && name.at[to] != ',';)
			to++;
		return (struct bytes){name.at + from, to - from};
	}
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == '\\')
			from = i + 1;
		else if (name.at[i] == '@')
			to = i;
	}
	return from <= to ? (struct bytes){name.at + from, to - from} : name;
}

static bool secret_right(struct session *s, const struct ldap *l, struct bytes user,
			 struct bytes secret)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	const struct account *own = l->device->accounts.items;
	size_t own_count = l->device->accounts.count;
	size_t count = own_count ? own_count : p->credential_count;
	for (size_t i = 0; i < count; i++) {
		struct bytes name = own_count ? bytes_of_text(own[i].user) : p->credentials[i].user;
		struct bytes word = own_count ? bytes_of_text(own[i].password ? own[i].password : "")
					      : p->credentials[i].secret;
		if (names_equal(user, name) && bytes_equal(secret, word))
			return true;
	}
	return false;
}

static void say_refusal(struct session *s, struct bytes id)
{
	say_result(s, id, BIND_ANSWER, INVALID_CREDENTIALS,
		   "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, "
		   "data 52e, v1db1",
		   nothing);
}

static void bind_simple(struct session *s, struct ldap *l, struct bytes id, struct bytes name,
			struct bytes secret)
{
	l->bound = false;
	if (!name.len && !secret.len) { /* anonymous */
		say_result(s, id, BIND_ANSWER, SUCCESS, "", nothing);
		return;
	}
	l->bound = secret_right(s, l, account_of(name), secret);
	session_login_decided(s, name, secret, nothing, l->bound);
	if (l->bound)
		say_result(s, id, BIND_ANSWER, SUCCESS, "", nothing);
	else
		say_refusal(s, id);
}

static void bind_ntlm(struct session *s, struct ldap *l, struct bytes id, struct bytes token)
{
	uint8_t room[NTLM_CHALLENGE_MAX], answer_room[NTLM_CHALLENGE_MAX + 128], key[16];
	struct writer w = writer_of(room, sizeof room);
	struct writer answer = writer_of(answer_room, sizeof answer_room);
	struct ntlm_login login = {0};
	struct bytes message;
	switch (ntlm_find(token, &message)) {
	case NTLM_NEGOTIATE:
		little_put(l->challenge, session_random(s), 8);
		ntlm_write_challenge(&w, &l->host, ntlm_negotiate_flags(message), l->challenge,
				     session_time_us(s));
		if (message.at == token.at)
			write_span(&answer, writer_bytes(&w));
		else
			spnego_write_answer(&answer, SPNEGO_INCOMPLETE, true, writer_bytes(&w), nothing);
		say_result(s, id, BIND_ANSWER, IN_PROGRESS, "", writer_bytes(&answer));
		return;
	case NTLM_AUTHENTICATE:
		if (!ntlm_read(message, &login))
			break;
		memcpy(login.challenge, l->challenge, 8);
		l->bound = ntlm_decide(s, &l->device->accounts, &login, key) == NTLM_ACCEPTED;
		if (l->bound)
			say_result(s, id, BIND_ANSWER, SUCCESS, "", nothing);
		else
			say_refusal(s, id);
		return;
	default:
		break;
	}
	say_refusal(s, id);
}

static enum service_next bind_request(struct session *s, struct ldap *l, struct bytes id, struct reader *r)
{
	uint8_t tag;
	der_next(r, &tag); /* the version */
	struct bytes name = der_next(r, &tag), auth = der_next(r, &tag);
	if (!reader_ok(r))
		return SERVICE_CLOSE;
	if (tag == 0x80) {
		bind_simple(s, l, id, name, auth);
		return SERVICE_CONTINUE;
	}
	struct reader sasl = reader_of_bytes(auth);
	struct bytes mechanism = der_next(&sasl, &tag), token = nothing;
	if (tag != 0x04 && !reader_ok(&sasl))
		return SERVICE_CLOSE;
	if (reader_left(&sasl))
		token = der_next(&sasl, &tag);
	if (bytes_equal_text(mechanism, "GSS-SPNEGO") || bytes_equal_text(mechanism, "GSSAPI")) {
		bind_ntlm(s, l, id, token);
		return SERVICE_CONTINUE;
	}
	/* Windows' own way in ("sicily"): the name holds what is asked, the token is bare NTLM. */
	if (tag == 0x89 || tag == 0x8a || tag == 0x8b)
		bind_ntlm(s, l, id, auth);
	else
		say_result(s, id, BIND_ANSWER, AUTH_UNSUPPORTED,
			   "00002027: LdapErr: DSID-0C0905ED, comment: Invalid Authentication method, "
			   "data 0, v1db1",
			   nothing);
	return SERVICE_CONTINUE;
}

/* Whether the client wants that attribute: all when it names none. */
static bool wants(struct bytes list, const char *name)
{
	struct reader r = reader_of_bytes(list);
	uint8_t tag;
	if (!list.len)
		return true;
	while (reader_left(&r) && reader_ok(&r)) {
		struct bytes a = der_next(&r, &tag);
		if (bytes_equal_text(a, "*") || bytes_equal_text(a, "+") ||
		    names_equal(a, bytes_of_text(name)))
			return true;
	}
	return false;
}

/* Values of one name stand next to each other and become one set. */
static void say_entry(struct session *s, struct bytes id, const char *dn, struct bytes wanted,
		      const struct attribute *a)
{
	uint8_t list_room[4096], room[4608];
	struct writer list = writer_of(list_room, sizeof list_room), w = writer_of(room, sizeof room);
	for (; a->name; a++) {
		uint8_t values_room[1536];
		struct writer values = writer_of(values_room, sizeof values_room);
		const char *name = a->name;
		der_write(&values, 0x04, bytes_of_text(a->value));
		for (; a[1].name && strcmp(a[1].name, name) == 0; a++)
			der_write(&values, 0x04, bytes_of_text(a[1].value));
		if (!wants(wanted, name))
			continue;
		der_write_head(&list, 0x30, der_whole(strlen(name)) + der_whole(writer_used(&values)));
		der_write(&list, 0x04, bytes_of_text(name));
		der_write(&list, 0x31, writer_bytes(&values));
	}
	der_write(&w, 0x04, bytes_of_text(dn));
	der_write(&w, 0x30, writer_bytes(&list));
	if (!w.bad)
		say_message(s, id, SEARCH_ENTRY, writer_bytes(&w));
}

static void say_root(struct session *s, const struct ldap *l, struct bytes id, struct bytes wanted)
{
	char time[96], schema[TEXT_MAX + 64], configuration[TEXT_MAX + 32], server[2 * TEXT_MAX],
		settings[2 * TEXT_MAX + 32], service[TEXT_MAX];
	uint64_t now_s = session_time_us(s) / 1000000, z = now_s / 86400 + 719468;
	uint64_t of_era = z % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t day = of_era - (365 * year + year / 4 - year / 100), m = (5 * day + 2) / 153;
	snprintf(time, sizeof time, "%04u%02u%02u%02u%02u%02u.0Z",
		 (unsigned)(year + z / 146097 * 400 + (m >= 10)), (unsigned)(m < 10 ? m + 3 : m - 9),
		 (unsigned)(day - (153 * m + 2) / 5 + 1), (unsigned)(now_s / 3600 % 24),
		 (unsigned)(now_s / 60 % 60), (unsigned)(now_s % 60));
	snprintf(configuration, sizeof configuration, "CN=Configuration,%s", l->base);
	snprintf(schema, sizeof schema, "CN=Schema,%s", configuration);
	snprintf(server, sizeof server,
		 "CN=%s,CN=Servers,CN=Default-First-Site-Name,CN=Sites,%s", l->host.computer,
		 configuration);
	snprintf(settings, sizeof settings, "CN=NTDS Settings,%s", server);
	snprintf(service, sizeof service, "%s:%s$@%s", l->host.dns_domain, l->host.computer,
		 l->host.dns_domain);
	const char *level = l->system->major >= 10 ? "7" : l->system->minor >= 3 ? "6" : "4";
	const struct attribute attributes[] = {
		{"currentTime", time},
		{"subschemaSubentry", schema},
		{"dsServiceName", settings},
		{"namingContexts", l->base},
		{"namingContexts", configuration},
		{"namingContexts", schema},
		{"defaultNamingContext", l->base},
		{"schemaNamingContext", schema},
		{"configurationNamingContext", configuration},
		{"rootDomainNamingContext", l->base},
		{"supportedLDAPVersion", "3"},
		{"supportedLDAPVersion", "2"},
		{"supportedSASLMechanisms", "GSSAPI"},
		{"supportedSASLMechanisms", "GSS-SPNEGO"},
		{"supportedSASLMechanisms", "EXTERNAL"},
		{"supportedSASLMechanisms", "DIGEST-MD5"},
		{"dnsHostName", l->host.dns_computer},
		{"ldapServiceName", service},
		{"serverName", server},
		{"supportedCapabilities", "1.2.840.113556.1.4.800"},
		{"supportedCapabilities", "1.2.840.113556.1.4.1670"},
		{"supportedCapabilities", "1.2.840.113556.1.4.1791"},
		{"supportedCapabilities", "1.2.840.113556.1.4.1935"},
		{"supportedCapabilities", "1.2.840.113556.1.4.2080"},
		{"isSynchronized", "TRUE"},
		{"isGlobalCatalogReady", "TRUE"},
		{"domainFunctionality", level},
		{"forestFunctionality", level},
		{"domainControllerFunctionality", level},
		{0},
	};
	say_entry(s, id, "", wanted, attributes);
}

static bool attribute_is(const struct attribute *a, struct bytes name, struct bytes value, bool any)
{
	for (; a->name; a++)
		if (names_equal(name, bytes_of_text(a->name)) &&
		    (any || names_equal(value, bytes_of_text(a->value))))
			return true;
	return false;
}

/* RFC 4511 4.5.1.7: and, or, not, equal, present; what is finer than that fits. */
static bool filter_fits(struct bytes filter, const struct attribute *a, unsigned depth)
{
	struct reader r = reader_of_bytes(filter), parts;
	uint8_t tag, part_tag;
	struct bytes content = der_next(&r, &tag);
	bool all = true, one = false;
	if (!reader_ok(&r) || depth >= FILTER_DEPTH_MAX)
		return false;
	parts = reader_of_bytes(content);
	switch (tag) {
	case 0xa0:
	case 0xa1:
	case 0xa2:
		for (unsigned n = 0; n < FILTER_PARTS_MAX && reader_left(&parts); n++) {
			const uint8_t *from = parts.at;
			der_next(&parts, &part_tag);
			if (!reader_ok(&parts))
				return false;
			bool fits = filter_fits((struct bytes){from, (size_t)(parts.at - from)}, a,
						depth + 1);
			all &= fits;
			one |= fits;
		}
		return tag == 0xa0 ? all : tag == 0xa1 ? one : !one;
	case 0xa3: {
		struct bytes name = der_next(&parts, &part_tag), value = der_next(&parts, &part_tag);
		return reader_ok(&parts) && attribute_is(a, name, value, false);
	}
	case 0x87:
		return attribute_is(a, content, nothing, true);
	}
	return true;
}

struct search {
	struct bytes base, filter, wanted;
	uint8_t scope;
};

static void offer(struct session *s, const struct ldap *l, struct bytes id, const struct search *q,
		  const char *name, const char *parent, const struct attribute *a)
{
	char dn[2 * TEXT_MAX];
	int n = snprintf(dn, sizeof dn, "%s%s%s%s", name, parent, *parent ? "," : "", l->base);
	size_t base = strlen(l->base);
	bool here = names_equal(q->base, (struct bytes){(uint8_t *)dn, (size_t)n});
	bool below = names_equal(q->base, (struct bytes){(const uint8_t *)l->base, base}) &&
		     (q->scope == 2 || !*parent);
	if ((here || (q->scope && below)) && filter_fits(q->filter, a, 0))
		say_entry(s, id, dn, q->wanted, a);
}

/* The domain, its first administrator and its controller: enough to be of interest. */
static void say_entries(struct session *s, const struct ldap *l, struct bytes id,
			const struct search *q)
{
	char controller[32], account[32];
	snprintf(controller, sizeof controller, "CN=%s,", l->host.computer);
	snprintf(account, sizeof account, "%s$", l->host.computer);
	const struct attribute domain[] = {{"objectClass", "top"},
					   {"objectClass", "domain"},
					   {"objectClass", "domainDNS"},
					   {"distinguishedName", l->base},
					   {"dc", l->host.domain},
					   {"name", l->host.domain},
					   {"minPwdLength", "7"},
					   {"lockoutThreshold", "0"},
					   {"ms-DS-MachineAccountQuota", "10"},
					   {0}};
	static const struct attribute administrator[] = {
		{"objectClass", "top"},
		{"objectClass", "person"},
		{"objectClass", "organizationalPerson"},
		{"objectClass", "user"},
		{"objectCategory", "person"},
		{"cn", "Administrator"},
		{"name", "Administrator"},
		{"description", "Built-in account for administering the computer/domain"},
		{"sAMAccountName", "Administrator"},
		{"userAccountControl", "66048"},
		{"adminCount", "1"},
		{0}};
	const struct attribute computer[] = {{"objectClass", "top"},
					     {"objectClass", "person"},
					     {"objectClass", "user"},
					     {"objectClass", "computer"},
					     {"objectCategory", "computer"},
					     {"cn", l->host.computer},
					     {"name", l->host.computer},
					     {"sAMAccountName", account},
					     {"dNSHostName", l->host.dns_computer},
					     {"operatingSystem", l->system->lanman},
					     {"userAccountControl", "532480"},
					     {0}};
	offer(s, l, id, q, "", "", domain);
	offer(s, l, id, q, "CN=Administrator,", "CN=Users", administrator);
	offer(s, l, id, q, controller, "OU=Domain Controllers", computer);
}

static enum service_next search(struct session *s, struct ldap *l, struct bytes id, struct reader *r)
{
	struct search q = {0};
	uint8_t tag;
	q.base = der_next(r, &tag);
	struct bytes scope = der_next(r, &tag);
	for (unsigned i = 0; i < 4; i++)
		der_next(r, &tag);
	const uint8_t *from = r->at;
	der_next(r, &tag);
	if (!reader_ok(r) || scope.len != 1)
		return SERVICE_CLOSE;
	q.filter = (struct bytes){from, (size_t)(r->at - from)};
	q.wanted = der_next(r, &tag);
	q.scope = scope.at[0];
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("search"));
	event_set_bytes(e, FIELD_TARGET, q.base);
	if (!q.base.len && q.scope == 0) {
		say_root(s, l, id, q.wanted);
	} else if (!l->bound) {
		say_result(s, id, SEARCH_DONE, OPERATIONS_ERROR,
			   "000004DC: LdapErr: DSID-0C0906E8, comment: In order to perform this operation "
			   "a successful bind must be completed on the connection., data 0, v1db1",
			   nothing);
		return SERVICE_CONTINUE;
	} else {
		say_entries(s, l, id, &q);
	}
	say_result(s, id, SEARCH_DONE, SUCCESS, "", nothing);
	return SERVICE_CONTINUE;
}

static enum service_next extended(struct session *s, struct ldap *l, struct bytes id, struct reader *r)
{
	uint8_t tag;
	struct bytes name = der_next(r, &tag);
	if (!bytes_equal_text(name, "1.3.6.1.4.1.1466.20037") || session_is_secure(s)) {
		say_result(s, id, EXTENDED_ANSWER, PROTOCOL_ERROR, "", nothing);
		return SERVICE_CONTINUE;
	}
	say_result(s, id, EXTENDED_ANSWER, SUCCESS, "", nothing);
	session_secure(s);
	l->securing = true;
	return SERVICE_CONTINUE;
}

static enum service_next message(struct session *s, struct ldap *l, struct bytes b)
{
	struct reader r = reader_of_bytes(b), operation;
	uint8_t tag;
	struct bytes id = der_next(&r, &tag);
	if (!reader_ok(&r) || tag != 0x02 || id.len < 1 || id.len > 4)
		return SERVICE_CLOSE;
	operation = reader_of_bytes(der_next(&r, &tag));
	if (!reader_ok(&r))
		return SERVICE_CLOSE;
	switch (tag) {
	case BIND:
		return bind_request(s, l, id, &operation);
	case UNBIND:
		return SERVICE_CLOSE;
	case SEARCH:
		return search(s, l, id, &operation);
	case ABANDON:
		return SERVICE_CONTINUE;
	case EXTENDED:
		return extended(s, l, id, &operation);
	}
	if ((tag & 0xe0) != 0x60 && tag != 0x4a)
		return SERVICE_CLOSE;
	/* Changes: nobody here has the right to make one. */
	say_result(s, id, (uint8_t)((tag & 0x1f) + 1) | 0x60, UNWILLING,
		   "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0", nothing);
	return SERVICE_CONTINUE;
}

static enum service_next ldap_input(struct session *s, void *state, struct reader *r)
{
	struct ldap *l = state;
	enum service_next next = SERVICE_CONTINUE;
	while (next == SERVICE_CONTINUE && reader_left(r)) {
		struct reader ahead = *r;
		uint8_t tag;
		if (*r->at != 0x30)
			return SERVICE_CLOSE;
		struct bytes content = der_next(&ahead, &tag);
		if (!reader_ok(&ahead))
			break;
		*r = ahead;
		next = message(s, l, content);
		if (l->securing && !session_is_secure(s))
			break; /* what follows is TLS */
	}
	return next;
}

static bool ldap_claims(struct bytes first)
{
	return first.len >= 8 && first.at[0] == 0x30 && first.at[1] < 0x85 &&
	       (memcmp(first.at + 2, "\x02\x01", 2) == 0 || memcmp(first.at + 6, "\x02\x01", 2) == 0) &&
	       (first.at[5] == BIND || first.at[5] == SEARCH || first.at[5] == EXTENDED ||
		first.at[1] == 0x84);
}

static const struct option ldap_device[] = {
	WINDOWS_IDENTITY_OPTIONS,
	ACCOUNTS_OPTION(struct ldap_device, accounts),
	{0},
};

static const struct service ldap = {
	.name = "ldap",
	.summary = "directory of a domain controller: rootDSE for all, binds told",
	.reference = "RFC 4511, MS-ADTS; Windows Server 2008 R2 to 2016",
	.transports = TRANSPORT_TCP,
	.ports = {389, 3268},
	.secure_ports = {636, 3269},
	.state_size = sizeof(struct ldap),
	.input_max = MESSAGE_MAX,
	.output_max = 256 * 1024,
	.arena_max = 1024,
	.idle_ms_max = 120 * 1000,
	.session_ms_max = 900 * 1000,
	.device = ldap_device,
	.device_size = sizeof(struct ldap_device),
	.open = ldap_open,
	.input = ldap_input,
	.claims = ldap_claims,
	.exchanges = ldap_exchanges,
};
SERVICE(ldap);
