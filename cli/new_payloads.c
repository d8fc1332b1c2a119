#include "cli/new_payloads.h"
#include "cli/ask.h"
#include "cli/signature_files.h"
#include <stdlib.h>

#define HOURS_DEFAULT 24
#define HOURS_MAX (24 * 3660)
#define ROWS_MAX 1000000
#define ROW_TEXT_MAX (2 * 65536 + 256)
#define GROUPS_SHOWN 20
#define COLUMNS 5

struct new_payloads {
	struct signatures *signatures;
	struct similar *similar;
	struct buffer line;
	uint64_t rows;
	uint8_t *text;
};

/* A payload is in a table of its own, beside which the row of the event says who sent it where to. */
static void question_make(struct writer *w, uint64_t hours)
{
	write_fmt(w, "SELECT hex(src), if(proto = 'udp', 17, 6), dport, toUnixTimestamp(time), hex(value) FROM ("
		     "SELECT id, src, proto, dport FROM flows WHERE flow_asks = '' AND flow_answer = 0 "
		     "AND time >= now() - INTERVAL %1$llu HOUR UNION ALL "
		     "SELECT id, src, proto, dport FROM events WHERE kind = 'alert.raised' "
		     "AND time >= now() - INTERVAL %1$llu HOUR) AS sent INNER JOIN ("
		     "SELECT id, time, value FROM private WHERE field = 'flow.payload' AND value != '' "
		     "AND time >= now() - INTERVAL %1$llu HOUR) AS payload USING (id) "
		     "WHERE proto IN ('udp', 'tcp') AND dport != 0 ORDER BY id LIMIT %2$u",
		  (unsigned long long)hours, ROWS_MAX);
}

static struct bytes bytes_behind(struct bytes b, size_t n)
{
	return n < b.len ? (struct bytes){b.at + n, b.len - n} : (struct bytes){b.at + b.len, 0};
}

static size_t unhex(struct bytes hex, uint8_t *to, size_t most)
{
	size_t n = 0;
	for (; 2 * n + 1 < hex.len && n < most; n++) {
		uint8_t byte = 0;
		for (size_t i = 0; i < 2; i++) {
			uint8_t c = hex.at[2 * n + i];
			byte = (uint8_t)(byte << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10));
		}
		to[n] = byte;
	}
	return n;
}

static void take_row(struct new_payloads *p, struct bytes line)
{
	struct bytes cells[COLUMNS] = {{0}};
	uint64_t proto = 0, port = 0, second = 0;
	uint8_t payload[2048];
	struct address source = {{0}};
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t n = bytes_find(line, "\t");
		cells[i] = (struct bytes){line.at, n < line.len ? n : line.len};
		line = bytes_behind(line, cells[i].len + 1);
	}
	if (!bytes_number(cells[1], UINT8_MAX, &proto) || !bytes_number(cells[2], UINT16_MAX, &port) ||
	    !bytes_number(cells[3], UINT32_MAX, &second))
		return;
	p->rows++;
	unhex(cells[0], source.b, sizeof source.b);
	const struct similar_payload s = {
		.payload = {payload, unhex(cells[4], payload, sizeof payload)},
		.source = source,
		.proto = (uint8_t)proto,
		.port = (uint16_t)port,
		.first_us = second * 1000000,
		.last_us = second * 1000000,
		.count = 1,
	};
	/* Signatures may have been added since. */
	if (!signatures_payload(p->signatures, s.proto, s.port, s.payload))
		similar_take_some(p->similar, &s, p->rows);
}

static bool take_part(void *arg, struct bytes part)
{
	struct new_payloads *p = arg;
	if (buffer_append(&p->line, part.at, part.len))
		return false;
	struct bytes all = buffer_bytes(&p->line);
	size_t used = 0, n;
	while ((n = bytes_find(bytes_behind(all, used), "\n")) < all.len - used) {
		take_row(p, (struct bytes){all.at + used, n});
		used += n + 1;
	}
	buffer_consume(&p->line, used);
	return buffer_len(&p->line) <= ROW_TEXT_MAX;
}

static void print_json(void *arg, const struct similar_group *g)
{
	struct new_payloads *p = arg;
	struct writer w = writer_of(p->text, SIMILAR_JSON_MAX);
	similar_write_json(g, &w);
	printf("%.*s\n", (int)writer_used(&w), (const char *)p->text);
}

static void print_text(void *arg, const struct similar_group *g)
{
	char suggestion[SIMILAR_SUGGESTION_MAX];
	(void)arg;
	similar_suggestion(g, suggestion);
	printf("%s# %llu payloads from %u source%s\n%s\n", suggestion[0] ? "" : "# nothing that all share: ",
	       (unsigned long long)g->count, g->sources, g->sources == 1 ? "" : "s", suggestion);
}

static void print_all(struct new_payloads *p, bool json)
{
	const struct similar_counts c = similar_counts(p->similar);
	struct writer w = writer_of(p->text, SIMILAR_JSON_MAX);
	if (json) {
		similar_each(p->similar, SIZE_MAX, print_json, p);
		similar_write_counts(&c, &w);
		printf("{\"summary\":true,\"read\":%llu,\"new_payloads\":%.*s}\n", (unsigned long long)p->rows,
		       (int)writer_used(&w), (const char *)p->text);
		return;
	}
	printf("# %llu payloads without a name, %llu kinds; %llu were not compared, there are too many\n"
	       "payloads:\n", (unsigned long long)p->rows, (unsigned long long)c.groups,
	       (unsigned long long)c.left_out);
	similar_each(p->similar, GROUPS_SHOWN, print_text, p);
}

static int ask(struct new_payloads *p, const struct arguments *a, uint64_t hours, struct fault *fault)
{
	struct question question;
	char sql[2048];
	struct writer w = writer_of(sql, sizeof sql);
	question_make(&w, hours);
	int bad = question_begin(&question, a, fault);
	return bad ? bad : question_ask(&question, "tsv", writer_bytes(&w), true, take_part, p, fault);
}

int new_payloads_run(const struct arguments *a)
{
	struct new_payloads p = {.line = BUFFER(4u << 20), .text = malloc(SIMILAR_JSON_MAX)};
	struct fault fault = {0};
	uint64_t hours = HOURS_DEFAULT;
	const char *text = arguments_flag(a, "hours");
	int bad = 0;
	if (text && (!bytes_number(bytes_of_text(text), HOURS_MAX, &hours) || !hours))
		bad = fault_set(&fault, ERR_BAD, "--hours: \"%s\" is not a number from 1 to %d", text, HOURS_MAX);
	else if (!p.text || similar_open(&p.similar, 0))
		bad = fault_set(&fault, ERR_MEMORY, "no memory to compare payloads");
	int status = bad == ERR_BAD ? 2 : 1;
	if (!bad)
		bad = signature_files_read(&p.signatures, a, &fault);
	if (!bad)
		bad = ask(&p, a, hours, &fault);
	if (!bad)
		print_all(&p, arguments_flag(a, "json") != NULL);
	similar_close(p.similar);
	if (p.signatures)
		signatures_close(p.signatures);
	buffer_done(&p.line);
	free(p.text);
	return bad ? command_fail(status, "telescope: %s", fault.text) : 0;
}
