/*
 * Lists to block by, in the forms that firewalls, resolvers and sensors read: plain addresses, a script for nftables, a
 * response policy zone for resolvers, and a file for Zeek's intelligence framework.
 *
 * What is on them: share/blocklist_inner.h.  Names and URLs are attackers' bytes; what is no name of DNS, or holds
 * white space or control characters, is left out, so that nothing can be said to a resolver or a firewall by a name.
 */
#include "share/exporting/blocklist_inner.h"

static int end_plain(struct output_run *run)
{
	char text[ADDRESS_TEXT_MAX];
	const struct blocked *b;
	int bad = blocklist_write_head(run, "#");
	for (size_t at = 0; !bad && (b = blocklist_next(run, &at));)
		if (b->type == BLOCKED_ADDRESS)
			bad = output_text(run, "%s\n", address_format(&b->address, text));
	return bad;
}

/* A set without elements has no braces: nft takes "elements = { }" for an error. */
static int write_set(struct output_run *run, const char *name, const char *type, bool v4)
{
	char text[ADDRESS_TEXT_MAX];
	const struct blocked *b;
	bool any = false;
	int bad = output_text(run, "\tset %s {\n\t\ttype %s\n", name, type);
	for (size_t at = 0; !bad && (b = blocklist_next(run, &at));) {
		if (b->type != BLOCKED_ADDRESS || address_is_v4(&b->address) != v4)
			continue;
		bad = output_text(run, "%s%s", any ? ",\n\t\t\t" : "\t\telements = {\n\t\t\t", address_format(&b->address, text));
		any = true;
	}
	return bad ? bad : output_text(run, "%s\t}\n", any ? "\n\t\t}\n" : "");
}

/* Loaded again it takes the place of what was there: an empty table is made, so that there is one to delete. */
static int end_nftables(struct output_run *run)
{
	int bad = output_text(run, "#!/usr/sbin/nft -f\n");
	bad = bad ? bad : blocklist_write_head(run, "#");
	bad = bad ? bad : output_text(run, "table inet blocklist\ndelete table inet blocklist\ntable inet blocklist {\n");
	bad = bad ? bad : write_set(run, "addresses4", "ipv4_addr", true);
	bad = bad ? bad : write_set(run, "addresses6", "ipv6_addr", false);
	return bad ? bad : output_text(run, "\tchain input {\n\t\ttype filter hook input priority -10; policy accept;\n"
				            "\t\tip saddr @addresses4 counter drop\n\t\tip6 saddr @addresses6 counter drop\n\t}\n}\n");
}

/* 32.9.113.0.203 for 203.0.113.9; 128.9.zz.db8.2001 for 2001:db8::9 (draft-vixie-dnsop-dns-rpz 4.1.1). */
static int write_rpz_address(struct output_run *run, const struct address *a)
{
	char text[ADDRESS_TEXT_MAX], out[ADDRESS_TEXT_MAX + 16];
	struct writer w = writer_of(out, sizeof out - 1);
	if (address_is_v4(a)) {
		uint32_t v = address_to_v4(a);
		return output_text(run, "32.%u.%u.%u.%u.rpz-ip\tCNAME\t.\n", v & 255, v >> 8 & 255, v >> 16 & 255, v >> 24);
	}
	size_t end = strlen(address_format(a, text)), last = end;
	write_text(&w, "128");
	for (size_t i = end + 1; i-- > 0;) {
		if (i && text[i - 1] != ':')
			continue;
		if (end > i) /* a group, the last first */
			write_fmt(&w, ".%.*s", (int)(end - i), text + i);
		else if (i && i < last) /* the gap; not the nothing beside a colon at an end */
			write_text(&w, ".zz");
		end = i ? i - 1 : 0;
	}
	*w.at = '\0';
	return output_text(run, "%s.rpz-ip\tCNAME\t.\n", out);
}

static int end_rpz(struct output_run *run)
{
	const struct blocked *b;
	int bad = blocklist_write_head(run, ";");
	uint32_t serial = (uint32_t)(output_about(run)->time_us / 1000000);
	bad = bad ? bad : output_text(run, "$TTL 300\n@\tSOA\tlocalhost. root.localhost. %u 3600 600 86400 300\n\tNS\tlocalhost.\n",
				      serial);
	for (size_t at = 0; !bad && (b = blocklist_next(run, &at));) {
		if (b->type == BLOCKED_ADDRESS)
			bad = write_rpz_address(run, &b->address);
		else if (b->type == BLOCKED_DOMAIN)
			bad = output_text(run, "%.*s\tCNAME\t.\n*.%.*s\tCNAME\t.\n", (int)b->value.len, (const char *)b->value.at,
					  (int)b->value.len, (const char *)b->value.at);
	}
	return bad;
}

static int write_intel(struct output_run *run, const struct blocked *b, const char *producer)
{
	static const char *const types[] = {"Intel::ADDR", "Intel::DOMAIN", "Intel::URL", "Intel::FILE_HASH"};
	char text[ADDRESS_TEXT_MAX];
	struct bytes value = b->type == BLOCKED_ADDRESS ? bytes_of_text(address_format(&b->address, text)) : b->value;
	size_t scheme = b->type == BLOCKED_URL ? bytes_find(value, "://") : value.len;
	if (scheme < value.len) /* Zeek's URLs are without one */
		value = (struct bytes){value.at + scheme + 3, value.len - scheme - 3};
	return output_text(run, "%.*s\t%s\t%s\t%s\n", (int)value.len, (const char *)value.at, types[b->type], producer, b->why);
}

static int end_intel(struct output_run *run)
{
	const struct blocked *b;
	char producer[256];
	struct bytes name = bytes_of_text(output_about(run)->producer ? output_about(run)->producer : "");
	size_t n = 0;
	for (size_t i = 0; i < name.len && n < sizeof producer - 1; i++)
		producer[n++] = name.at[i] <= 0x20 || name.at[i] == 0x7f ? '_' : (char)name.at[i];
	producer[n] = '\0';
	int bad = output_text(run, "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n");
	for (size_t at = 0; !bad && (b = blocklist_next(run, &at));)
		bad = write_intel(run, b, n ? producer : "-");
	return bad;
}

#define AT "\"time\":\"2015-06-01T00:00:00Z\","
#define EVENTS                                                                                                         \
	"{\"kind\":\"login.tried\"," AT "\"src\":\"203.0.113.9\",\"proto\":\"tcp\"}\n"                                 \
	"{\"kind\":\"login.tried\"," AT "\"src\":\"203.0.113.9\",\"proto\":\"tcp\"}\n"                                 \
	"{\"kind\":\"exploit.seen\"," AT "\"src\":\"203.0.113.8\",\"proto\":\"tcp\"}\n"                                \
	"{\"kind\":\"source.judged\"," AT "\"src\":\"203.0.113.8\",\"intent.verdict\":\"survey\"}\n"                   \
	"{\"kind\":\"login.tried\"," AT "\"src\":\"203.0.113.7\",\"proto\":\"udp\"}\n"                                 \
	"{\"kind\":\"login.tried\"," AT "\"src\":\"192.168.1.1\",\"proto\":\"tcp\"}\n"                                 \
	"{\"kind\":\"backscatter.seen\"," AT "\"src\":\"203.0.113.6\"}\n"                                              \
	"{\"kind\":\"source.judged\"," AT "\"src\":\"2001:db8::9\",\"intent.verdict\":\"attack\"}\n"                   \
	"{\"kind\":\"indicator.found\"," AT "\"indicator.type\":\"domain\",\"indicator.value\":\"bad-name.example\","  \
	"\"indicator.role\":\"command\"}\n"                                                                            \
	"{\"kind\":\"indicator.found\"," AT "\"indicator.type\":\"domain\",\"indicator.value\":\"a.example\\u000aCNAME b\"," \
	"\"indicator.role\":\"command\"}\n"                                                                            \
	"{\"kind\":\"indicator.found\"," AT "\"indicator.type\":\"url\",\"indicator.value\":\"http://203.0.113.5/x\"," \
	"\"indicator.role\":\"download\"}\n"                                                                           \
	"{\"kind\":\"indicator.found\"," AT "\"indicator.type\":\"address\",\"indicator.value\":\"203.0.113.4\","      \
	"\"indicator.role\":\"victim\"}\n"                                                                             \
	"{\"kind\":\"record.imported\"," AT "\"indicator.type\":\"endpoint\",\"indicator.value\":\"198.51.100.3:8080\"," \
	"\"indicator.role\":\"command\"}\n"
#define HEAD(c)                                                                                                        \
	c " A test, by Example CERT\n" c " observed 2015-03-05T00:00:00.000000Z to 2015-03-06T00:00:00.000000Z, "    \
	  "made 2015-03-07T03:46:40.000000Z\n" c " TLP:GREEN\n"

static const struct output_specimen plain_specimens[] = {
	{"attackers, but no survey, no victim, nobody whose address can be forged", EVENTS,
	 HEAD("#") "198.51.100.3\n203.0.113.9\n2001:db8::9\n", NULL},
	{0},
};
static const struct output_specimen nftables_specimens[] = {
	{"a table that replaces the one before", EVENTS,
	 "#!/usr/sbin/nft -f\n" HEAD("#") "table inet blocklist\ndelete table inet blocklist\ntable inet blocklist {\n"
	 "\tset addresses4 {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t\t198.51.100.3,\n\t\t\t203.0.113.9\n\t\t}\n\t}\n"
	 "\tset addresses6 {\n\t\ttype ipv6_addr\n\t\telements = {\n\t\t\t2001:db8::9\n\t\t}\n\t}\n"
	 "\tchain input {\n\t\ttype filter hook input priority -10; policy accept;\n\t\tip saddr @addresses4 counter drop\n"
	 "\t\tip6 saddr @addresses6 counter drop\n\t}\n}\n", NULL},
	{0},
};
static const struct output_specimen rpz_specimens[] = {
	{"names and addresses; a name that is none cannot write a record", EVENTS,
	 HEAD(";") "$TTL 300\n@\tSOA\tlocalhost. root.localhost. 1425700000 3600 600 86400 300\n\tNS\tlocalhost.\n"
	 "32.3.100.51.198.rpz-ip\tCNAME\t.\n32.9.113.0.203.rpz-ip\tCNAME\t.\n128.9.zz.db8.2001.rpz-ip\tCNAME\t.\n"
	 "bad-name.example\tCNAME\t.\n*.bad-name.example\tCNAME\t.\n", NULL},
	{0},
};
static const struct output_specimen intel_specimens[] = {
	{"each with its type and why", EVENTS,
	 "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n198.51.100.3\tIntel::ADDR\tExample_CERT\tcommand\n"
	 "203.0.113.9\tIntel::ADDR\tExample_CERT\tattack\n2001:db8::9\tIntel::ADDR\tExample_CERT\tattack\n"
	 "bad-name.example\tIntel::DOMAIN\tExample_CERT\tcommand\n203.0.113.5/x\tIntel::URL\tExample_CERT\tdownload\n", NULL},
	{0},
};

#define LIST(id, word, text, said, type, suffix, finish, examples)                                                     \
	static const struct output id = {                                                                              \
		.name = word,                                                                                          \
		.summary = text,                                                                                       \
		.reference = said,                                                                                     \
		.media_type = type,                                                                                    \
		.extension = suffix,                                                                                   \
		.kinds = BLOCKLIST_KINDS,                                                                              \
		.whole = true,                                                                                         \
		.true_addresses = true,                                                                                \
		.begin = blocklist_new,                                                                                \
		.event = blocklist_event,                                                                              \
		.end = finish,                                                                                         \
		.done = blocklist_free,                                                                                \
		.specimens = examples,                                                                                 \
	};                                                                                                             \
	OUTPUT(id)

LIST(blocklist_plain, "blocklist", "addresses of attackers, one a line", "as firewalls and feeds read them", "text/plain",
     "txt", end_plain, plain_specimens);
LIST(blocklist_nftables, "nftables", "a table of nftables that drops attackers", "nft(8)", "text/plain", "nft", end_nftables,
     nftables_specimens);
LIST(blocklist_rpz, "rpz", "a response policy zone: attackers' names and addresses do not resolve",
     "draft-vixie-dnsop-dns-rpz", "text/dns", "zone", end_rpz, rpz_specimens);
LIST(blocklist_zeek, "zeek-intel", "addresses, names, URLs and files for Zeek's intelligence framework",
     "Zeek: Intelligence Framework", "text/tab-separated-values", "dat", end_intel, intel_specimens);
