/* What the rows of the store's answers bring to the study's hosts. */
#include "analysis/ics_study_inner.h"
#include <jansson.h>
#include <stdlib.h>

#define BANNER_MAX 2048
#define HONEYPOT_ENOUGH 50

FIELD(claims_ports, "claims.ports", NUMBER, 0, "ports that an address was claimed to answer on");

/* 64-bit numbers may come as strings. */
static bool number_of(const json_t *row, const char *name, uint64_t max, uint64_t *out)
{
	const json_t *value = json_object_get(row, name);
	if (json_is_string(value))
		return bytes_number(bytes_of_text(json_string_value(value)), max, out);
	if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static int digit_of(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

/* Bytes of strangers come in hex. */
static struct bytes bytes_of(const json_t *row, const char *name, uint8_t *room, size_t max)
{
	const char *hex = json_string_value(json_object_get(row, name));
	size_t n = 0;
	while (hex && n < max && digit_of(hex[2 * n]) >= 0 && digit_of(hex[2 * n + 1]) >= 0) {
		room[n] = (uint8_t)(digit_of(hex[2 * n]) << 4 | digit_of(hex[2 * n + 1]));
		n++;
	}
	return (struct bytes){room, n};
}

/* For a terminal, a table and JSON. */
static void text_of(const json_t *row, const char *name, char *to, size_t n)
{
	uint8_t room[256];
	const struct bytes b = bytes_of(row, name, room, sizeof room);
	size_t used = 0;
	for (size_t i = 0; i < b.len && used + 1 < n; i++)
		to[used++] = b.at[i] >= ' ' && b.at[i] <= '~' && !strchr("\"\\", b.at[i]) ? (char)b.at[i] : '?';
	to[used] = '\0';
}

static bool host_and_port(const json_t *row, struct address *a, uint16_t *port, bool *udp)
{
	const char *host = json_string_value(json_object_get(row, "host")), *proto = json_string_value(json_object_get(row, "proto"));
	uint64_t number;
	if (!host || !address_parse(bytes_of_text(host), a) || !number_of(row, "port", UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	*udp = proto && !strcmp(proto, "udp");
	return true;
}

struct judging {
	enum ics_claim_verdict verdict;
	char *why;
	size_t n;
};

/* A decoy outweighs wrong, wrong outweighs controller. */
static void on_rule(void *arg, const struct exposure_rule *rule, const char *evidence)
{
	static const char *const words[] = {"", "controller", "wrong", "decoy"};
	struct judging *j = arg;
	(void)evidence;
	for (int v = CLAIM_IS_DECOY; v > (int)j->verdict; v--)
		if (!strcmp(rule->severity, words[v])) {
			j->verdict = (enum ics_claim_verdict)v;
			snprintf(j->why, j->n, "%s: %s", rule->id, rule->title);
			for (char *c = j->why; *c; c++)
				*c = *c < ' ' || strchr("\"\\\x7f", *c) ? '?' : *c; /* it stands in JSON and on a terminal */
		}
}

enum ics_claim_verdict ics_claim_judge(const struct exposure_rules *rules, const struct event *e, char *why, size_t n)
{
	struct judging j = {.verdict = CLAIM_UNKNOWN, .why = why, .n = n};
	why[0] = '\0';
	exposure_rules_judge(rules, e, on_rule, &j);
	return j.verdict;
}

void ics_claim_count_event(struct event *e, unsigned ports)
{
	event_begin(e, EVENT_RECORD_IMPORTED);
	event_set_number(e, claims_ports, ports);
}

static void set_bytes(struct event *e, const char *field, struct bytes b)
{
	const int number = field_find(bytes_of_text(field));
	if (number >= 0 && b.len)
		event_set_bytes(e, (uint16_t)number, b);
}

static enum ics_claim_verdict judge_claim(struct ics_study *s, const json_t *row, uint16_t port, bool udp, char *why, size_t n)
{
	uint8_t banner[BANNER_MAX], labels[256], class[64];
	struct event *e = s->event;
	event_begin(e, EVENT_RECORD_IMPORTED);
	event_set_number(e, FIELD_DPORT, port);
	event_set_text(e, FIELD_PROTO, udp ? "udp" : "tcp");
	const struct bytes said = bytes_of(row, "banner", banner, sizeof banner);
	if (said.len)
		event_set_bytes(e, FIELD_BANNER, said);
	set_bytes(e, "record.labels", bytes_of(row, "labels", labels, sizeof labels));
	set_bytes(e, "record.class", bytes_of(row, "class", class, sizeof class));
	return ics_claim_judge(s->rules, e, why, n);
}

/* Its protocol, by what its source calls it, else by the port. */
static const struct ics_protocol *protocol_of(const json_t *row, uint16_t port, bool udp)
{
	uint8_t class[64];
	const struct ics_protocol *p = ics_protocol_find(bytes_of(row, "class", class, sizeof class));
	p = p ? p : ics_protocol_at_port(port, udp);
	return p ? p : ics_protocol_at_port(port, !udp); /* others write BACnet and FINS down as TCP */
}

/* The claim that says most is the host's: a decoy's before all, then a controller's, best one that can be asked. */
static void take_reason(struct ics_host *h, const json_t *row, const struct ics_claim *c, const char *why)
{
	static const uint8_t ranks[] = {[CLAIM_UNKNOWN] = 1, [CLAIM_IS_WRONG] = 2, [CLAIM_CONTROLLER] = 3, [CLAIM_IS_DECOY] = 5};
	const char *id = json_string_value(json_object_get(row, "id")), *pap = json_string_value(json_object_get(row, "pap"));
	const bool askable = c->verdict == CLAIM_CONTROLLER && c->protocol && ics_protocol_is_asked(c->protocol, c->port);
	const uint8_t rank = ranks[c->verdict] + askable;
	if (rank <= h->rank || (!c->protocol && c->verdict != CLAIM_IS_DECOY))
		return;
	h->rank = rank;
	h->protocol = c->protocol ? c->protocol : h->protocol;
	snprintf(h->why, sizeof h->why, "%s", why);
	snprintf(h->record, sizeof h->record, "%.32s", id ? id : "");
	snprintf(h->pap, sizeof h->pap, "%.23s", pap ? pap : "");
}

static bool take_claim(struct ics_study *s, const json_t *row)
{
	struct address a;
	struct ics_claim claim = {0};
	uint64_t at;
	char why[128];
	if (!host_and_port(row, &a, &claim.port, &claim.udp) || !number_of(row, "at", UINT32_MAX, &at))
		return false;
	struct ics_host *h = ics_host_take(s, &a);
	const struct ics_protocol *protocol = protocol_of(row, claim.port, claim.udp);
	if (!h)
		return false;
	claim.protocol = protocol;
	claim.verdict = (uint8_t)judge_claim(s, row, claim.port, claim.udp, why, sizeof why);
	if (protocol)
		claim.udp = protocol->udp;
	take_reason(h, row, &claim, why);
	if (!h->row.country[0])
		text_of(row, "country", h->row.country, sizeof h->row.country);
	h->seen_s = at > h->seen_s ? at : h->seen_s;
	h->claimed++;
	if (h->claim_count < ICS_CLAIMS_MAX)
		h->claims[h->claim_count++] = claim;
	else if (claim.protocol)
		h->claims[ICS_CLAIMS_MAX - 1] = claim;
	return true;
}

/* Hops of another sensor are another vantage's: the first that is handed in is the host's. */
static bool is_vantage(char kept[ICS_TEXT_MAX], const json_t *row)
{
	char sensor[ICS_TEXT_MAX];
	text_of(row, "sensor", sensor, sizeof sensor);
	if (!kept[0])
		memcpy(kept, sensor, sizeof sensor);
	return !strcmp(kept, sensor);
}

/* Options that only a system's own stack sends in a SYN: scanners that make packets leave them out. */
static bool has_own_shape(const json_t *row)
{
	char p0f[128], tool[64];
	text_of(row, "p0f", p0f, sizeof p0f);
	text_of(row, "tool", tool, sizeof tool);
	return !tool[0] && (strstr(p0f, "sok") || strstr(p0f, ",ts"));
}

static bool take_dark(struct ics_study *s, const json_t *row)
{
	struct address a;
	struct ics_dark dark = {0};
	uint64_t ttl, packets, destinations, first, last;
	const char *proto = json_string_value(json_object_get(row, "proto"));
	if (!host_and_port(row, &a, &dark.port, &dark.udp) || !number_of(row, "ttl", 255, &ttl) ||
	    !number_of(row, "packets", UINT64_MAX, &packets) || !number_of(row, "destinations", UINT64_MAX, &destinations) ||
	    !number_of(row, "first", UINT32_MAX, &first) || !number_of(row, "last", UINT32_MAX, &last))
		return false;
	struct ics_host *h = ics_host_find(s, &a);
	if (!h)
		return true;
	dark.icmp = proto && !strncmp(proto, "icmp", 4);
	dark.ttl = is_vantage(h->dark_sensor, row) ? (uint8_t)ttl : 0;
	dark.own_stack = has_own_shape(row);
	h->packets += packets;
	h->destinations = destinations > h->destinations ? destinations : h->destinations;
	h->dark_first_s = !h->dark_first_s || first < h->dark_first_s ? first : h->dark_first_s;
	h->dark_last_s = last > h->dark_last_s ? last : h->dark_last_s;
	if (h->row.dark_count < ICS_DARK_MAX)
		h->row.dark[h->row.dark_count++] = dark;
	return true;
}

static bool has_word(const char *words, const char *word)
{
	struct bytes rest = bytes_of_text(words);
	while (rest.len)
		if (bytes_equal_text(bytes_word(&rest), word))
			return true;
	return false;
}

/* A probe's answer counts as spoken where it is that protocol's probe; another sensor is another vantage. */
static bool take_look(struct ics_study *s, const json_t *row)
{
	struct address a;
	struct ics_answer answer = {0};
	uint64_t ttl, open, at;
	const char *speaks = json_string_value(json_object_get(row, "speaks"));
	if (!host_and_port(row, &a, &answer.port, &answer.udp) || !number_of(row, "ttl", 255, &ttl) ||
	    !number_of(row, "open", 1, &open) || !number_of(row, "at", UINT32_MAX, &at))
		return false;
	struct ics_host *h = ics_host_find(s, &a);
	if (!h)
		return true;
	answer.ttl = is_vantage(h->look_sensor, row) ? (uint8_t)ttl : 0;
	h->looked_s = at > h->looked_s ? at : h->looked_s;
	if (h->protocol && ics_protocol_is_asked(h->protocol, answer.port) && answer.udp == h->protocol->udp) {
		h->port_asked = true;
		h->port_open |= open;
		h->speaks |= open && speaks && has_word(speaks, h->protocol->probe);
	}
	for (size_t i = 0; i < h->claim_count; i++)
		h->claims[i].asked |= h->claims[i].port == answer.port && h->claims[i].udp == answer.udp;
	if (open && h->row.answer_count < ICS_ANSWERS_MAX)
		h->row.answers[h->row.answer_count++] = answer;
	return true;
}

static bool take_identity(struct ics_study *s, const json_t *row)
{
	const char *host = json_string_value(json_object_get(row, "host"));
	struct address a;
	uint64_t score;
	char vendor[32], product[32], system[24];
	if (!host || !address_parse(bytes_of_text(host), &a) || !number_of(row, "honeypot", UINT32_MAX, &score))
		return false;
	struct ics_host *h = ics_host_find(s, &a);
	if (!h)
		return true;
	text_of(row, "vendor", vendor, sizeof vendor);
	text_of(row, "product", product, sizeof product);
	text_of(row, "system", system, sizeof system);
	h->honeypot = score >= HONEYPOT_ENOUGH;
	snprintf(h->device, sizeof h->device, "%s%s%s%s%s", vendor, vendor[0] && product[0] ? " " : "", product,
		 system[0] && (vendor[0] || product[0]) ? ", " : "", system);
	return true;
}

/* The hosts of the study themselves do not calibrate what they are to be judged by. */
static bool take_path(struct ics_study *s, const json_t *row)
{
	const char *host = json_string_value(json_object_get(row, "host"));
	struct ttl_reading of_dark, of_answer;
	struct address a;
	uint64_t dark, answer;
	if (!host || !address_parse(bytes_of_text(host), &a) || !number_of(row, "dark", 255, &dark) || !number_of(row, "answer", 255, &answer))
		return false;
	if (ics_host_find(s, &a) || !ttl_expected((uint8_t)dark, &of_dark) || !ttl_expected((uint8_t)answer, &of_answer) ||
	    of_dark.initial != of_answer.initial || !of_dark.common || s->paths.count == ICS_PATHS_MAX)
		return true;
	if (s->paths.count == s->paths.room) {
		const size_t room = s->paths.room ? 2 * s->paths.room : 256;
		int16_t *larger = realloc(s->paths.offsets, room * sizeof *larger);
		if (!larger)
			return true;
		s->paths.offsets = larger;
		s->paths.room = room;
	}
	s->paths.offsets[s->paths.count++] = (int16_t)(of_dark.hops - of_answer.hops);
	return true;
}

bool ics_row_take(struct ics_study *s, enum ics_question question, struct bytes line)
{
	static bool (*const takes[ICS_QUESTIONS])(struct ics_study *, const json_t *) = {
		[ICS_ASK_CLAIMS] = take_claim, [ICS_ASK_DARK] = take_dark, [ICS_ASK_LOOKS] = take_look,
		[ICS_ASK_IDENTITIES] = take_identity, [ICS_ASK_PATHS] = take_path,
	};
	json_t *row = json_loadb((const char *)line.at, line.len, 0, NULL);
	bool fine = row && (question == ICS_ASK_TOTALS ? number_of(row, "claimed", UINT64_MAX, &s->sums.claimed) : takes[question](s, row));
	json_decref(row);
	return fine;
}
