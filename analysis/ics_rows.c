/* The industrial protocols by their names and ports, and rows as people print them. */
#include "analysis/ics.h"

#define PORTS_WAITING ICS_ANSWERS_MAX

#define WORDS(...) (const char *const[]){__VA_ARGS__, NULL}
static const struct ics_protocol protocols[] = {
	{"BACnet", "bacnet", WORDS("bacnet", "bacnet/ip"), {47808}, true},
	{"Modbus", "modbus", WORDS("modbus", "modbus/tcp"), {502}, false},
	{"Tridium", "fox", WORDS("fox", "tridium", "niagara", "niagara fox", "tridium fox"), {1911, 4911, 3011}, false},
	{"Siemens S7", "s7", WORDS("s7", "s7comm", "siemens s7"), {102}, false},
	{"EtherNet/IP", "enip", WORDS("enip", "ethernetip", "ethernet/ip", "ethernet-ip"), {44818}, false},
	{"DNP3", "dnp3", WORDS("dnp3"), {20000}, false},
	{"IEC 104", "iec104", WORDS("iec104", "iec-104", "iec 60870-5-104"), {2404}, false},
	{"OMRON FINS", "fins", WORDS("fins", "omron", "omron fins"), {9600}, true},
	{"tank gauge", "atg", WORDS("atg", "automated-tank-gauge", "tank-gauge", "tls-350"), {10001}, false},
	{"PCWorx", "", WORDS("pcworx"), {1962}, false},
	{"MELSEC-Q", "", WORDS("melsec", "melsec-q", "mitsubishi"), {5006, 5007}, false},
	{"CODESYS", "", WORDS("codesys"), {2455, 1200}, false},
	{"ProConOS", "", WORDS("proconos"), {20547}, false},
	{"Red Lion", "", WORDS("redlion-crimson3", "crimson", "red lion"), {789}, false},
	{"GE SRTP", "", WORDS("general-electric-srtp", "ge-srtp", "srtp"), {18245, 18246}, false},
	{"HART-IP", "", WORDS("hart-ip", "hart-ip-udp"), {5094}, false},
};
#define PROTOCOLS (sizeof protocols / sizeof *protocols)

const struct ics_protocol *ics_protocol_at(size_t i) { return i < PROTOCOLS ? &protocols[i] : NULL; }

const struct ics_protocol *ics_protocol_find(struct bytes word)
{
	for (size_t i = 0; i < PROTOCOLS; i++) {
		if (bytes_equal_nocase(word, protocols[i].name))
			return &protocols[i];
		for (const char *const *it = protocols[i].words; *it; it++)
			if (bytes_equal_nocase(word, *it))
				return &protocols[i];
	}
	return NULL;
}

const struct ics_protocol *ics_protocol_at_port(uint16_t port, bool udp)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		for (size_t k = 0; k < sizeof protocols[i].ports / sizeof *protocols[i].ports; k++)
			if (protocols[i].ports[k] == port && port && protocols[i].udp == udp)
				return &protocols[i];
	return NULL;
}

bool ics_protocol_is_asked(const struct ics_protocol *p, uint16_t port) { return p->probe[0] && p->ports[0] == port; }

struct port_text {
	uint16_t port;
	bool udp, icmp;
	uint8_t ttl;
};

/* "47808/UDP (111)", "23", "445/TCP(104)", "icmp (60)"; false: it is none of these. */
static bool read_port(struct bytes text, struct port_text *out)
{
	uint64_t number = 0;
	const size_t bracket = bytes_find(text, "(");
	struct bytes name = bytes_trim((struct bytes){text.at, bracket});
	*out = (struct port_text){0};
	if (bracket < text.len) {
		if (text.at[text.len - 1] != ')' ||
		    !bytes_number(bytes_trim((struct bytes){text.at + bracket + 1, text.len - bracket - 2}), 255, &number) || !number)
			return false;
		out->ttl = (uint8_t)number;
	}
	if (bytes_equal_nocase(name, "icmp")) {
		out->icmp = true;
		return true;
	}
	const size_t slash = bytes_find(name, "/");
	const struct bytes proto = {name.at + slash, name.len - slash};
	out->udp = bytes_equal_nocase(proto, "/udp");
	if (proto.len && !out->udp && !bytes_equal_nocase(proto, "/tcp"))
		return false;
	if (!bytes_number((struct bytes){name.at, slash}, UINT16_MAX, &number) || !number)
		return false;
	out->port = (uint16_t)number;
	return true;
}

/* The next of a list separated by commas or "and"; false at its end. */
static bool next_item(struct bytes *rest, struct bytes *item)
{
	*rest = bytes_trim(*rest);
	if (!rest->len)
		return false;
	const size_t comma = bytes_find(*rest, ","), word = bytes_find(*rest, " and ");
	const size_t end = comma < word ? comma : word, gap = end == rest->len ? 0 : end == comma ? 1 : 5;
	*item = bytes_trim((struct bytes){rest->at, end});
	*rest = (struct bytes){rest->at + end + gap, rest->len - end - gap};
	return true;
}

/* Ports of a list; a TTL is that of all before it which have none. */
static int read_ports(struct bytes list, struct port_text *out, size_t max, size_t *count, struct fault *fault)
{
	struct bytes item;
	size_t without = 0;
	for (*count = 0; next_item(&list, &item); ++*count) {
		if (*count == max)
			return fault_set(fault, ERR_BAD, "more than %zu ports", max);
		if (!read_port(item, &out[*count]))
			return fault_set(fault, ERR_BAD, "\"%.*s\" is not a port, 23, 47808/UDP (111) would be right",
					 (int)(item.len < 40 ? item.len : 40), (const char *)item.at);
		if (!out[*count].ttl)
			continue;
		for (; without < *count; without++)
			out[without].ttl = out[without].ttl ? out[without].ttl : out[*count].ttl;
	}
	return 0;
}

static int read_answers(struct bytes list, struct ics_row *row, struct fault *fault)
{
	struct port_text ports[ICS_ANSWERS_MAX];
	int bad = read_ports(list, ports, ICS_ANSWERS_MAX, &row->answer_count, fault);
	for (size_t i = 0; !bad && i < row->answer_count; i++) {
		if (ports[i].icmp)
			return fault_set(fault, ERR_BAD, "icmp is not a port that answers");
		row->answers[i] = (struct ics_answer){.port = ports[i].port, .udp = ports[i].udp, .ttl = ports[i].ttl};
	}
	return bad;
}

static int read_dark(struct bytes list, struct ics_row *row, struct fault *fault)
{
	struct port_text ports[ICS_DARK_MAX];
	int bad = read_ports(list, ports, ICS_DARK_MAX, &row->dark_count, fault);
	for (size_t i = 0; !bad && i < row->dark_count; i++)
		row->dark[i] = (struct ics_dark){.port = ports[i].port, .udp = ports[i].udp, .icmp = ports[i].icmp, .ttl = ports[i].ttl};
	return bad;
}

/* "syn=system", "vantage=one", "offset=-3", "spread=1", "apart=48". */
static int read_more(struct bytes text, struct ics_row *row, struct fault *fault)
{
	uint64_t number;
	const size_t equals = bytes_find(text, "=");
	const struct bytes name = {text.at, equals};
	struct bytes value = {text.at + equals + (equals < text.len), text.len - equals - (equals < text.len)};
	const bool negative = value.len && value.at[0] == '-';
	if (bytes_equal_text(text, "vantage=one") || bytes_equal_text(text, "syn=system")) {
		row->vantages.one |= text.at[0] == 'v';
		for (size_t i = 0; i < row->dark_count; i++)
			row->dark[i].own_stack |= text.at[0] == 's';
		return 0;
	}
	if (negative)
		value = (struct bytes){value.at + 1, value.len - 1};
	if (bytes_equal_text(name, "offset") && bytes_number(value, 64, &number)) {
		row->vantages.calibrated = true;
		row->vantages.offset = negative ? -(int)number : (int)number;
		return 0;
	}
	if (bytes_equal_text(name, "spread") && !negative && bytes_number(value, 64, &number)) {
		row->vantages.spread = (int)number;
		return 0;
	}
	if (bytes_equal_text(name, "apart") && !negative && bytes_number(value, 1000000, &number)) {
		row->apart_h = (unsigned)number;
		return 0;
	}
	return fault_set(fault, ERR_BAD, "\"%.*s\" is not known; syn=system, vantage=one, offset=N, spread=N and apart=HOURS are",
			 (int)(text.len < 40 ? text.len : 40), (const char *)text.at);
}

static struct bytes next_column(struct bytes *rest)
{
	const size_t end = bytes_find(*rest, ";");
	const struct bytes column = bytes_trim((struct bytes){rest->at, end});
	const size_t skip = end + (end < rest->len);
	*rest = (struct bytes){rest->at + skip, rest->len - skip};
	return column;
}

/* For a terminal: what is not printable becomes a question mark. */
static void copy_shown(struct bytes from, char *to, size_t n)
{
	size_t used = 0;
	for (size_t i = 0; i < from.len && used + 1 < n; i++)
		to[used++] = from.at[i] >= ' ' && from.at[i] <= '~' && !strchr("\"\\", from.at[i]) ? (char)from.at[i] : '?';
	to[used] = '\0';
}

int ics_row_read(struct bytes line, struct ics_row *out, struct fault *fault)
{
	static const char *const columns[] = {"a name", "a country", "open ports", "a protocol", "dark traffic"};
	struct bytes column[5], rest = line;
	struct ics_row row = {0};
	for (size_t i = 0; i < sizeof column / sizeof *column; i++) {
		column[i] = next_column(&rest);
		if (!column[i].len)
			return fault_set(fault, ERR_BAD, "%s is missing; \"C; VE; 502/TCP (45); Modbus; 445/TCP (110)\" would be right",
					 columns[i]);
	}
	copy_shown(column[0], row.name, sizeof row.name);
	copy_shown(column[1], row.country, sizeof row.country);
	copy_shown(column[3], row.protocol, sizeof row.protocol);
	if (!ics_protocol_find(column[3]))
		return fault_set(fault, ERR_BAD, "\"%s\" is no industrial protocol that is known here", row.protocol);
	int bad = read_answers(column[2], &row, fault);
	if (!bad)
		bad = read_dark(column[4], &row, fault);
	while (!bad && rest.len) {
		const struct bytes more = next_column(&rest);
		bad = more.len ? read_more(more, &row, fault) : 0;
	}
	if (!bad)
		*out = row;
	return bad;
}

static void write_ttl(struct writer *w, uint8_t ttl)
{
	if (ttl)
		write_fmt(w, " (%u)", ttl);
}

/* Ports of one TTL stand together, as they came. */
void ics_ports_write(const struct ics_row *row, struct writer *w)
{
	for (size_t i = 0; i < row->answer_count; i++) {
		const struct ics_answer *a = &row->answers[i];
		const struct ics_answer *next = i + 1 < row->answer_count ? a + 1 : NULL;
		const bool goes_on = next && next->ttl == a->ttl;
		write_fmt(w, "%s%u", i ? ", " : "", a->port);
		if (!goes_on || next->udp != a->udp)
			write_text(w, a->udp ? "/UDP" : "/TCP");
		if (!goes_on)
			write_ttl(w, a->ttl);
	}
}

void ics_dark_write(const struct ics_row *row, struct writer *w)
{
	for (size_t i = 0; i < row->dark_count; i++) {
		const struct ics_dark *d = &row->dark[i];
		if (d->icmp)
			write_fmt(w, "%sICMP", i ? ", " : "");
		else
			write_fmt(w, "%s%u/%s", i ? ", " : "", d->port, d->udp ? "UDP" : "TCP");
		write_ttl(w, d->ttl);
	}
}
