/*
 * MISP's warninglists: addresses, networks and names that are known and not to be blamed, or known to scan.
 *
 * They are told as tables of networks, with the list's name as their name and a word for what it means; names of hosts
 * and other values become records with the role "check", which is that of bystanders.
 */
#include "share/reading/json_inner.h"
#include "share/reading/named_inner.h"

#define PREFIX_WHOLE 128

/* Lists of those who measure the Internet are told from those of services that everybody uses. */
static const char *label_of(struct bytes name)
{
	static const char *const surveys[] = {"scan", "shodan", "censys", "shadowserver", "rapid7", "sonar", "stretchoid",
					      "binaryedge", "onyphe", "rwth", NULL};
	for (const char *const *it = surveys; *it; it++)
		if (bytes_find_nocase(name, *it) < name.len)
			return "survey";
	return bytes_find_nocase(name, "tor ") < name.len || bytes_find_nocase(name, "tor-") < name.len ? "tor" : "benign";
}

static struct address last_of(const struct prefix *p)
{
	struct address last = p->base;
	for (unsigned bit = p->bits; bit < PREFIX_WHOLE; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return last;
}

static void take_network(struct intake *in, const struct prefix *p, struct bytes name, const char *label)
{
	intake_network(in, &(struct network){.first = p->base, .last = last_of(p), .name = name, .labels = bytes_of_text(label)});
}

static void take_other(struct intake *in, struct bytes value, struct bytes name, const char *label)
{
	struct record r = {.role = "check", .title = name, .labels = bytes_of_text(label), .confidence = 0, .original = value};
	size_t skip = value.len && value.at[0] == '.' ? 1 : 0; /* ".example.com": all names below it */
	value = (struct bytes){value.at + skip, value.len - skip};
	enum named as = named_guess(value);
	if (as == NAMED_NOTHING || named_set(in, &r, as, value))
		intake_bad(in, "\"%.*s\" is no address, name or digest", (int)(value.len < 60 ? value.len : 60),
			   value.len ? (const char *)value.at : "");
	else
		intake_record(in, &r);
}

static void take_value(struct intake *in, const json_t *list)
{
	struct bytes name = json_text(list, "name");
	const json_t *values = json_object_get(list, "list"), *it;
	const char *label = label_of(name);
	struct prefix prefix;
	size_t i;
	if (!json_is_array(values)) {
		intake_bad(in, "it is no warninglist: it has no \"list\"");
		return;
	}
	if (bytes_equal_text(json_text(list, "type"), "regex")) {
		intake_bad(in, "a list of patterns names no values");
		return;
	}
	json_array_foreach(values, i, it) {
		struct bytes value = bytes_trim(json_span(it));
		if (prefix_parse(value, &prefix))
			take_network(in, &prefix, name, label);
		else
			take_other(in, value, name, label);
		arena_done(intake_arena(in));
	}
}

static void document(struct intake *in, struct bytes whole) { json_each_value(in, whole, take_value); }

static const struct format_specimen specimens[] = {
	{"networks of a survey, with names",
	 BYTES("{\"name\":\"List of known shodan scanning networks\",\"version\":1,\"description\":\"x\",\"type\":\"cidr"
	       "\",\"matching_attributes\":[\"ip-src\"],\"list\":[\"198.51.100.0/25\",\"2001:db8::/48\",\"203.0.113.7\","
	       "\".scan.example.com\",\"not a value\"]}\n"),
	 "network 198.51.100.0-198.51.100.127 0  List of known shodan scanning networks\n"
	 "  labels survey\n"
	 "network 2001:db8::-2001:db8:0:ffff:ffff:ffff:ffff:ffff 0  List of known shodan scanning networks\n"
	 "network 203.0.113.7-203.0.113.7 0  List of known shodan scanning networks\n"
	 "domain scan.example.com\n"
	 "  role check\n"
	 "  labels survey\n"
	 "bad \"not a value\" is no address\n"},
	{"public resolvers, and what is no list",
	 BYTES("{\"name\":\"Public DNS resolvers\",\"type\":\"string\",\"list\":[\"203.0.113.53\"]}\n{\"type\":\"regex\""
	       ",\"list\":[]}\n{\"x\":1}\n"),
	 "network 203.0.113.53-203.0.113.53 0  Public DNS resolvers\n"
	 "  labels benign\n"
	 "bad a list of patterns\n"
	 "bad it is no warninglist\n"},
	{0},
};

static const struct format warninglist = {
	.name = "warninglist",
	.summary = "MISP's warninglists: networks of surveys and of services that everybody uses",
	.reference = "MISP warninglists (list.json)",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(warninglist);
