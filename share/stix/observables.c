#include "share/stix/observables_inner.h"
#include "share/reading/named_inner.h"
#include "share/reading/words_inner.h"
#include "share/reading/refang_inner.h"

#define PARTS_MAX 256 /* objects of one observation */
#define TEXT(object, key) json_text(object, key)

static const struct { const char *type; enum named as; } observables[] = {
	{"ipv4-addr", NAMED_ADDRESS}, {"ipv6-addr", NAMED_ADDRESS},
	{"domain-name", NAMED_DOMAIN}, {"hostname", NAMED_DOMAIN},
	{"url", NAMED_URL}, {"email-addr", NAMED_MAIL}, {"mutex", NAMED_MUTEX},
	{"cryptocurrency-wallet", NAMED_WALLET}, {"user-agent", NAMED_AGENT},
};

static struct bytes plain_value(const struct stix *s, const json_t *object)
{
	struct bytes value = TEXT(object, "value");
	return json_is_true(json_object_get(object, "defanged")) ? refang(value, intake_arena(s->intake)) : value;
}

/* Digests that a record can be named by, the surest first; the others stand beside it. */
static const struct { const char *key, *name; } digests[] = {
	{"SHA-256", "sha256"}, {"SHA-512", "sha512"}, {"SHA-1", "sha1"}, {"MD5", "md5"}, {"TLSH", "tlsh"}, {"SSDEEP", "ssdeep"}};
#define DIGESTS_NAMING 4

static const char *set_file(const struct stix *s, const json_t *object, struct record *r)
{
	const json_t *hashes = json_object_get(object, "hashes");
	struct phrase others = phrase_of(s->intake);
	const char *wrong = "";
	struct bytes sha256 = {0};
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
		struct bytes value = TEXT(hashes, digests[i].key);
		if (value.len && wrong && i < DIGESTS_NAMING) {
			wrong = named_set(s->intake, r, NAMED_HASH, value);
			sha256 = !wrong && r->value.len == 64 ? r->value : sha256;
		} else {
			phrase_add_pair(&others, digests[i].name, value);
		}
	}
	if (wrong)
		return wrong;
	record_bytes(r, FIELD_FILE_SHA256, sha256);
	record_bytes(r, word_digests, phrase_bytes(&others));
	record_bytes(r, FIELD_FILE_NAME, TEXT(object, "name"));
	record_bytes(r, FIELD_FILE_URL, TEXT(object, "url")); /* of an artifact */
	if (json_count(object, "size"))
		record_number(r, FIELD_FILE_SIZE, json_count(object, "size"));
	return NULL;
}

/* An address says what AS it belongs to, and relationships where it is. */
static void add_place(const struct stix *s, const json_t *object, struct record *r)
{
	const json_t *as = stix_find(s, json_span(json_array_get(json_object_get(object, "belongs_to_refs"), 0)));
	if (json_count(as, "number"))
		record_number(r, word_as, json_count(as, "number"));
	record_bytes(r, word_as_name, TEXT(as, "name"));
	record_bytes(r, word_country, json_text(s->countries, json_word(object, "id") ? json_word(object, "id") : ""));
}

static const char *set_traffic(const struct stix *, const json_t *traffic, const json_t *lone, struct record *);

/* A connection by itself, and a mail by who sent it: what they refer to is told with them. */
static const char *set_whole(const struct stix *s, const json_t *object, struct record *r)
{
	const json_t *sender = stix_find_of(s, object, "from_ref");
	if (stix_is(object, "email-message")) {
		r->title = TEXT(object, "subject");
		return sender ? named_set(s->intake, r, NAMED_MAIL, TEXT(sender, "value")) : "";
	}
	r->kind = "flow.counted";
	return set_traffic(s, object, NULL, r);
}

const char *stix_name_observable(const struct stix *s, const json_t *object, struct record *r)
{
	if (stix_is(object, "file") || stix_is(object, "artifact"))
		return set_file(s, object, r);
	if (stix_is(object, "network-traffic") || stix_is(object, "email-message"))
		return set_whole(s, object, r);
	for (size_t i = 0; i < sizeof observables / sizeof *observables; i++) {
		if (!stix_is(object, observables[i].type))
			continue;
		struct bytes value = observables[i].as == NAMED_MUTEX ? TEXT(object, "name") : plain_value(s, object);
		const char *wrong = named_set(s->intake, r, observables[i].as, value);
		if (!wrong && observables[i].as == NAMED_ADDRESS)
			add_place(s, object, r);
		return wrong;
	}
	return "";
}

void stix_hand_in(struct stix *s, const json_t *object, struct record *r, size_t count)
{
	struct phrase version = phrase_of(s->intake);
	char number[24];
	phrase_add(&version, TEXT(object, "modified"));
	snprintf(number, sizeof number, "%zu", count);
	if (count)
		phrase_add(&version, bytes_of_text(number));
	r->version = phrase_bytes(&version);
	intake_record(s->intake, r);
}

struct parts {
	const json_t *list[PARTS_MAX];
	size_t count;
};

static void add_part(struct parts *parts, const json_t *object)
{
	if (json_is_object(object) && parts->count < PARTS_MAX)
		parts->list[parts->count++] = object;
}

static void gather(struct stix *s, const json_t *observation, struct parts *parts)
{
	size_t i;
	const char *key;
	json_t *it;
	json_array_foreach(json_object_get(observation, "object_refs"), i, it)
		add_part(parts, stix_find(s, json_span(it)));
	s->local = json_object_get(observation, "objects"); /* STIX 2.0, deprecated in 2.1 */
	json_object_foreach((json_t *)(uintptr_t)s->local, key, it)
		add_part(parts, it);
}

static const json_t *part_of(const struct parts *parts, const char *type)
{
	for (size_t i = 0; i < parts->count; i++)
		if (stix_is(parts->list[i], type))
			return parts->list[i];
	return NULL;
}

static const json_t *address_of(const struct parts *parts)
{
	const json_t *v4 = part_of(parts, "ipv4-addr");
	return v4 ? v4 : part_of(parts, "ipv6-addr");
}

static const char *kind_of(const struct parts *parts)
{
	static const struct { const char *type, *kind; } kinds[] = {
		{"user-account", "login.tried"}, {"file", "file.captured"}, {"artifact", "file.captured"},
		{"process", "command.sent"}, {"url", "request.seen"}, {"software", "host.answered"},
		{"x509-certificate", "host.answered"}, {"network-traffic", "flow.counted"}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (part_of(parts, kinds[i].type))
			return kinds[i].kind;
	return NULL;
}

static void add_protocols(const struct stix *s, const json_t *traffic, struct record *r)
{
	static const char *const transports[] = {"tcp", "udp", "icmp"};
	size_t i;
	const json_t *it;
	struct phrase others = phrase_of(s->intake);
	json_array_foreach(json_object_get(traffic, "protocols"), i, it) {
		const char *transport = NULL;
		for (size_t k = 0; k < 3; k++)
			if (bytes_equal_nocase(json_span(it), transports[k]))
				transport = transports[k];
		if (transport)
			record_text(r, FIELD_PROTO, transport);
		else if (!bytes_equal_text(json_span(it), "ipv4") && !bytes_equal_text(json_span(it), "ipv6"))
			phrase_add(&others, json_span(it));
	}
	record_bytes(r, word_class, phrase_bytes(&others));
}

/* `lone`: the address that acted where the connection itself names none. */
static const char *set_traffic(const struct stix *s, const json_t *traffic, const json_t *lone, struct record *r)
{
	const json_t *source = stix_find_of(s, traffic, "src_ref"), *target = stix_find_of(s, traffic, "dst_ref");
	const json_t *actor = source ? source : target ? NULL : lone;
	struct address destination;
	uint64_t sport = json_count(traffic, "src_port"), dport = json_count(traffic, "dst_port");
	if (dport > UINT16_MAX || sport > UINT16_MAX)
		return "has a port above 65535";
	add_protocols(s, traffic, r);
	/* Nobody is said to have begun it: a host that was asked, such as a scan's. */
	if (!source && target && address_parse(TEXT(target, "value"), &destination))
		return named_set_at(s->intake, r, TEXT(target, "value"), dport);
	/* Only what has an address or a name can be an end: a connection that refers to itself would never end. */
	const json_t *end = actor ? actor : target;
	bool names = stix_is(end, "ipv4-addr") || stix_is(end, "ipv6-addr") || stix_is(end, "domain-name");
	const char *wrong = names ? stix_name_observable(s, end, r) : "";
	if (wrong)
		return wrong;
	if (target && address_parse(TEXT(target, "value"), &destination))
		record_address(r, FIELD_DST, &destination);
	if (sport)
		record_number(r, FIELD_SPORT, sport);
	r->port = (uint32_t)dport;
	if (json_count(traffic, "src_byte_count"))
		record_number(r, FIELD_FLOW_BYTES, json_count(traffic, "src_byte_count"));
	if (json_count(traffic, "src_packets"))
		record_number(r, FIELD_FLOW_PACKETS, json_count(traffic, "src_packets"));
	return NULL;
}

/* What else is known of who acted: with what name, which file, which command. */
static void add_deeds(struct stix *s, const struct parts *parts, struct record *r)
{
	const json_t *user = part_of(parts, "user-account"), *file = part_of(parts, "file"), *software = part_of(parts, "software");
	struct bytes login = TEXT(user, "account_login"), sha256 = TEXT(json_object_get(file, "hashes"), "SHA-256");
	struct record hash = {0};
	record_bytes(r, FIELD_LOGIN_USER, login.len ? login : TEXT(user, "user_id"));
	record_bytes(r, FIELD_LOGIN_SECRET, TEXT(user, "credential"));
	record_bytes(r, FIELD_COMMAND_LINE, TEXT(part_of(parts, "process"), "command_line"));
	record_bytes(r, FIELD_FILE_URL, plain_value(s, part_of(parts, "url")));
	record_bytes(r, FIELD_FILE_NAME, TEXT(file, "name"));
	if (!named_set(s->intake, &hash, NAMED_HASH, sha256) && hash.value.len == 64)
		record_bytes(r, FIELD_FILE_SHA256, hash.value);
	record_bytes(r, word_vendor, TEXT(software, "vendor"));
	record_bytes(r, word_product, TEXT(software, "name"));
	record_bytes(r, word_version, TEXT(software, "version"));
	record_bytes(r, word_cpe, TEXT(software, "cpe"));
}

/* What another part refers to is told with that; compared as objects, since STIX 2.0 has keys and no ids. */
static bool is_inner(const struct stix *s, const struct parts *parts, const json_t *object)
{
	static const char *const refs[] = {"src_ref", "dst_ref", "parent_directory_ref", "parent_ref", NULL};
	for (size_t i = 0; i < parts->count; i++)
		for (const char *const *ref = refs; *ref; ref++)
			if (stix_find_of(s, parts->list[i], *ref) == object)
				return true;
	return false;
}

void stix_observation(struct stix *s, const json_t *observation, const struct record *like)
{
	struct parts parts = {.count = 0};
	gather(s, observation, &parts);
	const json_t *traffic = part_of(&parts, "network-traffic"), *actor = traffic ? NULL : address_of(&parts);
	struct record r = *like;
	size_t count = 0, known = 0;
	r.kind = kind_of(&parts);
	const char *wrong = traffic ? set_traffic(s, traffic, address_of(&parts), &r) : actor ? stix_name_observable(s, actor, &r) : "";
	if (!wrong) {
		add_deeds(s, &parts, &r);
		stix_hand_in(s, observation, &r, count++);
	} else if (*wrong) {
		intake_bad(s->intake, "%.80s: what it saw %s", like->id.len ? (const char *)like->id.at : "an observation", wrong);
		known++;
	}
	for (size_t i = 0; i < parts.count; i++) {
		const json_t *object = parts.list[i];
		struct record part = *like;
		if (object != traffic && object != actor && !is_inner(s, &parts, object) && !stix_name_observable(s, object, &part))
			stix_hand_in(s, observation, &part, count++);
	}
	if (!count && !known)
		intake_bad(s->intake, "%.80s: it saw nothing that has a type here, or what it saw is not in the bundle",
			   like->id.len ? (const char *)like->id.at : "an observation");
	s->local = NULL;
}
