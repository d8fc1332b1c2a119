#include "analysis/seeking.h"
#include "event/condition.h"
#include <jansson.h>
#include <stdlib.h>

#define LEARNING_MEMORY_MAX (16u << 20)
#define SHARED_SHOWN 12 /* further values, told in comments */
/* What a few hosts share by chance says little, however rare it is. */
#define FEW_HOSTS 5
#define FEW_CONFIDENCE 40
#define CONFIDENCE_HIGHEST 90
#define ANSWERS "(kind = 'host.identified' OR (kind = 'host.answered' AND state = 'open'))"

/* Texts that say how a host was asked or judged, or what differs from answer to answer, and not what it is. */
static const char *const unlearned[] = {
	"sensor", "process", "proto", "service", "persona", "probe", "state", "rule", "reason", "basis", "decision", "evidence",
	"dissent", "near", "detail", "software", "signals", "config.version", "tcp.options", "probe.expected", "http.path",
	"http.cookie",
};

int seek_learning_open(struct seek_learning *l)
{
	*l = (struct seek_learning){.arena = ARENA(LEARNING_MEMORY_MAX)};
	l->values = calloc(SEEK_VALUES_MAX, sizeof *l->values);
	return l->values ? 0 : ERR_MEMORY;
}

void seek_learning_close(struct seek_learning *l)
{
	arena_done(&l->arena);
	free(l->values);
}

static void write_range(struct writer *w, struct bytes hosts, uint64_t since_us)
{
	write_text(w, "ip(src) IN (");
	write_span(w, hosts);
	write_fmt(w, ") AS is_named FROM events WHERE " ANSWERS " AND time >= toDateTime(%llu,'UTC')",
		  (unsigned long long)(since_us / 1000000));
}

void seek_hosts_sql(struct writer *w, struct bytes hosts, uint64_t since_us)
{
	write_text(w, "SELECT toUInt32(uniqExactIf(src, is_named)) AS named, toUInt32(uniqExactIf(src, NOT is_named)) AS others "
		      "FROM (SELECT src, ");
	write_range(w, hosts, since_us);
	write_text(w, ")");
}

/* Columns of their own stand beside the other fields. */
void seek_values_sql(struct writer *w, struct bytes hosts, uint64_t since_us)
{
	write_text(w, "SELECT kind, probe, pair.1 AS name, hex(pair.2) AS text, toUInt32(uniqExactIf(src, is_named)) AS named, "
		      "toUInt32(uniqExactIf(src, NOT is_named)) AS others FROM (SELECT src, kind, toString(probe) AS probe, "
		      "arrayJoin(arrayZip(arrayConcat(field, ['device.class', 'device.vendor', 'device.product']), "
		      "arrayConcat(value, [toString(device_class), toString(device_vendor), toString(device_product)]))) AS pair, ");
	write_range(w, hosts, since_us);
	write_text(w, ") WHERE pair.2 != '' AND pair.1 NOT IN (");
	for (size_t i = 0; i < sizeof unlearned / sizeof *unlearned; i++)
		write_fmt(w, "%s'%s'", i ? "," : "", unlearned[i]);
	write_fmt(w, ") AND length(pair.2) <= %d GROUP BY kind, probe, pair HAVING named >= 2 ORDER BY named DESC, others, "
		     "name, text LIMIT %d", SEEK_VALUE_BYTES_MAX, SEEK_VALUES_MAX);
}

/* YAML has no way to write any byte: text only, without what YAML 1.2 (5.1) calls not printable beyond ASCII. */
static bool can_be_written(struct bytes text)
{
	if (!bytes_is_utf8(text))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!text.at[i] || text.at[i] == 0xef ||
		    (text.at[i] == 0xc2 && i + 1 < text.len && text.at[i + 1] < 0xa0))
			return false;
	return true;
}

static size_t from_hex(const char *text, uint8_t *out, size_t max)
{
	size_t n = 0;
	unsigned byte;
	while (n < max && text[2 * n] && text[2 * n + 1] && sscanf(text + 2 * n, "%2x", &byte) == 1)
		out[n++] = (uint8_t)byte;
	return n;
}

/* Of hosts: what is no such number is none. */
static uint64_t count_of(const json_t *row, const char *name)
{
	const json_int_t n = json_integer_value(json_object_get(row, name));
	return n < 0 || n > UINT32_MAX ? 0 : (uint64_t)n;
}

static void take_value(struct seek_learning *l, const json_t *row, const char *name)
{
	uint8_t room[SEEK_VALUE_BYTES_MAX];
	const char *kind = json_string_value(json_object_get(row, "kind")), *hex = json_string_value(json_object_get(row, "text"));
	const char *probe = json_string_value(json_object_get(row, "probe"));
	int number = kind ? event_kind_find(bytes_of_text(kind)) : -1, field = field_find(bytes_of_text(name));
	struct bytes text = {room, hex ? from_hex(hex, room, sizeof room) : 0};
	if ((number != EVENT_HOST_ANSWERED && number != EVENT_HOST_IDENTIFIED) || field < 0 || !text.len ||
	    field_definition((uint16_t)field)->type > FIELD_BYTES || !can_be_written(text) || l->count == SEEK_VALUES_MAX)
		return;
	struct seek_value *v = &l->values[l->count];
	*v = (struct seek_value){
		.kind = (enum event_kind)number, .field = (uint16_t)field,
		.probe = arena_copy(&l->arena, bytes_of_text(probe ? probe : "")), .text = arena_copy(&l->arena, text),
		.named = count_of(row, "named"),
		.others = count_of(row, "others")};
	l->count += v->text.len && can_be_written(v->probe);
}

void seek_learning_take(struct seek_learning *l, struct bytes line)
{
	json_t *row = json_loadb((const char *)line.at, line.len, 0, NULL);
	const char *name = json_string_value(json_object_get(row, "name"));
	if (name) {
		take_value(l, row, name);
	} else if (json_is_integer(json_object_get(row, "others"))) {
		l->named = count_of(row, "named");
		l->others = count_of(row, "others");
	}
	json_decref(row);
}

/* More of the named, then fewer of the others, then the longer text, which says more. */
static int better(const void *a, const void *b)
{
	const struct seek_value *x = a, *y = b;
	if (x->named != y->named)
		return x->named > y->named ? -1 : 1;
	if (x->others != y->others)
		return x->others < y->others ? -1 : 1;
	if (x->text.len != y->text.len)
		return x->text.len > y->text.len ? -1 : 1;
	return x->field != y->field ? (x->field < y->field ? -1 : 1) : memcmp(x->text.at, y->text.at, x->text.len);
}

static bool is_shared_and_rare(const struct seek_learning *l, const struct seek_wish *wish, const struct seek_value *v)
{
	return v->named >= 2 && v->named * 100 >= l->named * wish->named_percent &&
	       v->others * 100 <= l->others * wish->others_percent;
}

static void write_quoted(struct writer *w, struct bytes text)
{
	write_u8(w, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			write_fmt(w, "\\%c", text.at[i]);
		else if (text.at[i] < ' ' || text.at[i] == 0x7f)
			write_fmt(w, "\\x%02X", text.at[i]);
		else
			write_u8(w, text.at[i]);
	}
	write_u8(w, '"');
}

static void write_map(struct writer *w, const struct seek_value *v)
{
	write_u8(w, '{');
	if (v->probe.len) {
		write_text(w, "probe: ");
		write_quoted(w, v->probe);
		write_text(w, ", ");
	}
	write_fmt(w, "%s: ", field_definition(v->field)->name);
	write_quoted(w, v->text);
	write_text(w, "}");
}

static void write_counts(struct writer *w, const struct seek_learning *l, const struct seek_value *v)
{
	write_fmt(w, "%llu of %llu named hosts, %llu of %llu others", (unsigned long long)v->named, (unsigned long long)l->named,
		  (unsigned long long)v->others, (unsigned long long)l->others);
}

/* How many of those that the worst alternative would match were named. */
static unsigned confidence(const struct seek_learning *l, struct seek_value *const *picked, size_t count)
{
	unsigned least = CONFIDENCE_HIGHEST;
	for (size_t i = 0; i < count; i++) {
		const uint64_t percent = 100 * picked[i]->named / (picked[i]->named + picked[i]->others);
		least = percent < least ? (unsigned)percent : least;
	}
	if ((l->named < FEW_HOSTS || l->others < FEW_HOSTS) && least > FEW_CONFIDENCE)
		least = FEW_CONFIDENCE;
	return least ? least : 1;
}

/* Of each probe the best value: several of one answer would say the same twice. */
static size_t pick(const struct seek_learning *l, const struct seek_wish *wish, struct seek_value **picked)
{
	size_t count = 0;
	for (size_t i = 0; i < l->count && count < CONDITION_ALTERNATIVES_MAX; i++) {
		struct seek_value *v = &l->values[i];
		bool taken = !is_shared_and_rare(l, wish, v) || (count && picked[0]->kind != v->kind);
		for (size_t k = 0; k < count && !taken; k++)
			taken = bytes_equal(picked[k]->probe, v->probe);
		if (!taken)
			picked[count++] = v;
	}
	return count;
}

static void write_others(struct writer *w, const struct seek_learning *l, const struct seek_wish *wish,
			 struct seek_value *const *picked, size_t count)
{
	size_t shown = 0;
	for (size_t i = 0; i < l->count && shown < SHARED_SHOWN; i++) {
		const struct seek_value *v = &l->values[i];
		bool told = !is_shared_and_rare(l, wish, v);
		for (size_t k = 0; k < count && !told; k++)
			told = picked[k] == v;
		if (told)
			continue;
		write_text(w, shown++ ? "#   " : "# Shared and as rare, too:\n#   ");
		write_map(w, v);
		write_fmt(w, " (%s): ", event_kind_name(v->kind));
		write_counts(w, l, v);
		write_text(w, "\n");
	}
}

static void write_examples(struct writer *w, struct seek_value *const *picked, size_t count)
{
	bool written[CONDITION_ALTERNATIVES_MAX] = {false};
	write_text(w, "  evidence: [");
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i && !written[i]; k++)
			written[i] = picked[k]->field == picked[i]->field;
		if (!written[i])
			write_fmt(w, "%s%s", i ? ", " : "", field_definition(picked[i]->field)->name);
	}
	write_text(w, "]\n  examples:\n");
	for (size_t i = 0; i < count; i++) {
		write_text(w, "    - ");
		write_map(w, picked[i]);
		write_text(w, "\n");
	}
	write_text(w, "  not: [{state: open}]\n");
}

size_t seek_candidate_write(const struct seek_learning *l, const struct seek_wish *wish, struct writer *w)
{
	struct seek_value *picked[CONDITION_ALTERNATIVES_MAX];
	if (l->count)
		qsort(l->values, l->count, sizeof *l->values, better);
	const size_t count = pick(l, wish, picked);
	if (!count)
		return 0;
	write_text(w, "# A candidate: judge it, then put it into a folder that exposure.seeks names.\n");
	if (!l->others)
		write_text(w, "# No other host is stored: nothing shows that these values are rare.\n");
	write_fmt(w, "- name: %s\n  label: ", wish->name);
	write_quoted(w, bytes_of_text(wish->label));
	write_fmt(w, "\n  confidence: %u\n  learned: [", confidence(l, picked, count));
	write_quoted(w, bytes_of_text(wish->learned));
	write_fmt(w, "]\n  on: %s\n  when:\n", event_kind_name(picked[0]->kind));
	for (size_t i = 0; i < count; i++) {
		write_text(w, "    - ");
		write_map(w, picked[i]);
		write_text(w, " # ");
		write_counts(w, l, picked[i]);
		write_text(w, "\n");
	}
	write_examples(w, picked, count);
	write_others(w, l, wish, picked, count);
	return count;
}
