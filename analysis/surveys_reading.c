/* Lists of surveys and files of names, out of their texts. */
#include "analysis/surveys_inner.h"
#include "event/event.h"
#include <jansson.h>
#include <stdlib.h>

#define SKIPPED_LIST_MAX 0.5 /* of the items; a list of mostly other things was named by mistake */

/* What a failed list added is taken back by these. */
struct survey_mark {
	size_t lists, prefixes, domains, hosts;
	uint64_t skipped, wide;
};

static struct survey_mark mark_of(const struct surveys *s)
{
	return (struct survey_mark){s->list_count, s->prefix_count, s->domain_count,
				    s->host_count, s->skipped,      s->wide};
}

static void mark_restore(struct surveys *s, const struct survey_mark *m)
{
	s->list_count = m->lists;
	s->prefix_count = m->prefixes;
	s->domain_count = m->domains;
	s->host_count = m->hosts;
	s->skipped = m->skipped;
	s->wide = m->wide;
}

/* Room for one more of `size` bytes: 0, ERR_FULL or ERR_MEMORY. */
static int room_for(void **items, size_t count, size_t *room, size_t size, size_t max)
{
	if (count < *room)
		return 0;
	if (count >= max)
		return ERR_FULL;
	size_t wanted = *room ? *room * 2 : 256;
	void *grown = realloc(*items, wanted * size);
	if (!grown)
		return ERR_MEMORY;
	*items = grown;
	*room = wanted;
	return 0;
}

/* Text for people, on one line; NULL: it is empty, or not text at all. */
static const char *keep_text(struct surveys *s, struct bytes b)
{
	b = bytes_trim(b);
	while (b.len > SURVEY_WHO_MAX || (b.len && !bytes_is_utf8(b)))
		if (b.len <= SURVEY_WHO_MAX - 4)
			return NULL;
		else
			b.len = b.len > SURVEY_WHO_MAX ? SURVEY_WHO_MAX : b.len - 1; /* within a letter */
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] < 0x20 || b.at[i] == 0x7f)
			return NULL;
	return b.len ? arena_text(&s->texts, b) : NULL;
}

/* A host name as RFC 1123 2.1 has it, and the underscore that reverse DNS holds all the same. */
static const char *keep_host_name(struct surveys *s, struct bytes b)
{
	char lower[HOST_NAME_MAX_BYTES];
	if (b.len && b.at[b.len - 1] == '.')
		b.len--;
	if (b.len == 0 || b.len > sizeof lower || b.at[0] == '.')
		return NULL;
	for (size_t i = 0; i < b.len; i++) {
		char c = (char)b.at[i];
		c = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
			return NULL;
		lower[i] = c;
	}
	return arena_text(&s->texts, (struct bytes){(const uint8_t *)lower, b.len});
}

/* Whether a prefix would acknowledge a good part of the Internet. */
static bool is_wide(const struct prefix *p)
{
	static const struct address mapped = {{[10] = 0xff, [11] = 0xff}};
	if (address_is_v4(&p->base))
		return p->bits < 96 + SURVEY_PREFIX_MIN_V4;
	return p->bits < SURVEY_PREFIX_MIN_V6 || prefix_holds(p, &mapped);
}

static int add_prefix(struct surveys *s, const struct prefix *p, const char *who)
{
	if (is_wide(p)) {
		s->wide++;
		return 0;
	}
	int bad = room_for((void **)&s->prefixes, s->prefix_count, &s->prefix_room, sizeof *s->prefixes,
			   SURVEY_ITEMS_MAX);
	if (bad)
		return bad;
	s->prefixes[s->prefix_count] = (struct survey_prefix){
		*p, who, (uint32_t)(s->list_count - 1), (uint32_t)s->prefix_count, NO_PARENT};
	s->prefix_count++;
	return 0;
}

/* "*.survey.example", ".survey.example" and "survey.example"; a single label would be too much. */
static int add_domain(struct surveys *s, struct bytes b, const char *who)
{
	if (bytes_start_with(b, "*."))
		b = (struct bytes){b.at + 2, b.len - 2};
	else if (bytes_start_with(b, "."))
		b = (struct bytes){b.at + 1, b.len - 1};
	const char *name = keep_host_name(s, b);
	if (!name || !strchr(name, '.')) {
		s->skipped++;
		return 0;
	}
	int bad = room_for((void **)&s->domains, s->domain_count, &s->domain_room, sizeof *s->domains,
			   SURVEY_ITEMS_MAX);
	if (bad)
		return bad;
	s->domains[s->domain_count] = (struct survey_domain){name, who, (uint32_t)(s->list_count - 1),
							     (uint32_t)s->domain_count};
	s->domain_count++;
	return 0;
}

/* 20261101 and 2026110101 are dates with a count of that day behind; 7 is the seventh edition. */
static uint64_t version_date(uint64_t version)
{
	char text[16];
	uint64_t day_us;
	while (version > 99999999)
		version /= 100;
	if (version < 19900101)
		return 0;
	unsigned year = (unsigned)(version / 10000), month = (unsigned)(version / 100 % 100);
	snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, (unsigned)(version % 100));
	return time_parse(bytes_of_text(text), &day_us) ? day_us : 0;
}

static int begin_list(struct surveys *s, const char *name, uint64_t dated_us)
{
	if (s->list_count == SURVEY_FILES_MAX)
		return ERR_FULL;
	s->lists[s->list_count++] = (struct survey_list){name, dated_us};
	return 0;
}

static const char *base_name(struct surveys *s, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = keep_text(s, bytes_of_text(slash ? slash + 1 : file));
	return name ? name : "a list";
}

static uint64_t json_version(const json_t *list)
{
	const json_t *v = json_object_get(list, "version");
	uint64_t number = 0;
	if (json_is_integer(v) && json_integer_value(v) > 0)
		return version_date((uint64_t)json_integer_value(v));
	if (json_is_string(v) && bytes_number(bytes_of_text(json_string_value(v)), UINT64_MAX, &number))
		return version_date(number);
	if (json_is_string(v) && time_parse(bytes_of_text(json_string_value(v)), &number))
		return number;
	return 0;
}

static int add_item(struct surveys *s, struct bytes item, const char *who, bool hosts)
{
	struct prefix p;
	if (hosts)
		return add_domain(s, item, who);
	if (prefix_parse(item, &p))
		return add_prefix(s, &p, who);
	s->skipped++;
	return 0;
}

static int add_json_items(struct surveys *s, const json_t *items, bool hosts)
{
	const json_t *item;
	size_t i;
	int bad = 0;
	json_array_foreach(items, i, item) {
		struct bytes text = {0};
		if (json_is_string(item))
			text = (struct bytes){(const uint8_t *)json_string_value(item), json_string_length(item)};
		bad = add_item(s, bytes_trim(text), NULL, hosts);
		if (bad)
			return bad;
	}
	return 0;
}

static int add_json(struct surveys *s, struct bytes text, const char *file, struct fault *fault)
{
	json_error_t error;
	json_t *list = json_loadb((const char *)text.at, text.len, 0, &error);
	if (!list)
		return fault_set(fault, ERR_BAD, "%s:%d: not JSON: %s", file, error.line, error.text);
	const char *type = json_string_value(json_object_get(list, "type"));
	const json_t *items = json_object_get(list, "list"), *named = json_object_get(list, "name");
	bool hosts = type && !strcmp(type, "hostname");
	int bad = 0;
	if (!json_is_array(items))
		bad = fault_set(fault, ERR_BAD, "%s: has no array \"list\", as a MISP warninglist would", file);
	else if (type && !hosts && strcmp(type, "cidr") && strcmp(type, "string"))
		bad = fault_set(fault, ERR_BAD, "%s: its type is not cidr, string or hostname, which are taken", file);
	const char *name = NULL;
	if (!bad && json_is_string(named))
		name = keep_text(s, (struct bytes){(const uint8_t *)json_string_value(named),
						   json_string_length(named)});
	if (!bad)
		bad = begin_list(s, name ? name : base_name(s, file), json_version(list));
	if (!bad)
		bad = add_json_items(s, items, hosts);
	json_decref(list);
	return bad;
}

/* "# name: …" and "# date: …" say what the list is; other comments say nothing to us. */
static void read_comment(struct surveys *s, struct bytes comment)
{
	struct survey_list *list = &s->lists[s->list_count - 1];
	uint64_t dated_us;
	comment = bytes_trim(comment);
	struct bytes rest = comment;
	struct bytes word = bytes_word(&rest);
	rest = bytes_trim(rest);
	if (bytes_equal_nocase(word, "name:")) {
		const char *name = keep_text(s, rest);
		list->name = name ? name : list->name;
	} else if (bytes_equal_nocase(word, "date:") || bytes_equal_nocase(word, "version:")) {
		uint64_t number;
		if (bytes_number(rest, UINT64_MAX, &number))
			list->dated_us = version_date(number);
		else if (time_parse(rest, &dated_us))
			list->dated_us = dated_us;
	}
}

/* Splits at the first '#', and at the first white space behind the first word. */
static void split_line(struct bytes line, struct bytes *first, struct bytes *rest, struct bytes *comment)
{
	size_t hash = bytes_find(line, "#"), n = 0;
	*comment = hash < line.len ? (struct bytes){line.at + hash + 1, line.len - hash - 1} : (struct bytes){0};
	line = bytes_trim((struct bytes){line.at, hash});
	while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t')
		n++;
	*first = (struct bytes){line.at, n};
	*rest = n < line.len ? bytes_trim((struct bytes){line.at + n, line.len - n}) : (struct bytes){0};
}

static bool next_line(struct reader *r, struct bytes *line)
{
	if (read_line(r, line))
		return true;
	*line = read_rest(r);
	return line->len > 0;
}

static int add_text(struct surveys *s, struct bytes text, const char *file)
{
	struct reader r = reader_of_bytes(text);
	struct bytes line, first, rest, comment;
	int bad = begin_list(s, base_name(s, file), 0);
	while (!bad && next_line(&r, &line)) {
		split_line(line, &first, &rest, &comment);
		if (first.len)
			bad = add_item(s, first, keep_text(s, rest), first.at[0] == '.' || first.at[0] == '*');
		else
			read_comment(s, comment);
	}
	return bad;
}

static int explain(int bad, const char *file, struct fault *fault)
{
	if (bad == ERR_FULL)
		return fault_set(fault, bad, "%s: more than %d lists, or %u entries in all", file, SURVEY_FILES_MAX,
				 SURVEY_ITEMS_MAX);
	if (bad == ERR_MEMORY)
		return fault_set(fault, bad, "%s: no memory for it", file);
	return bad;
}

int surveys_add(struct surveys *s, struct bytes text, const char *file, struct fault *fault)
{
	const struct survey_mark mark = mark_of(s);
	if (text.len > SURVEY_TEXT_MAX)
		return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", file, SURVEY_TEXT_MAX);
	struct bytes trimmed = bytes_trim(text);
	int bad = trimmed.len && trimmed.at[0] == '{' ? add_json(s, trimmed, file, fault) : add_text(s, text, file);
	size_t taken = s->prefix_count - mark.prefixes + s->domain_count - mark.domains;
	uint64_t skipped = s->skipped - mark.skipped;
	if (bad)
		bad = explain(bad, file, fault);
	else if (taken == 0 || (double)skipped > SKIPPED_LIST_MAX * (double)(taken + skipped))
		bad = fault_set(fault, ERR_BAD, "%s: %zu of its entries are prefixes or domains and %llu are not; a "
				"list of surveys would be right", file, taken, (unsigned long long)skipped);
	if (bad)
		mark_restore(s, &mark);
	return bad;
}

static int add_host(struct surveys *s, const struct address *a, const char *name)
{
	int bad = room_for((void **)&s->hosts, s->host_count, &s->host_room, sizeof *s->hosts, SURVEY_NAMES_MAX);
	if (bad)
		return bad;
	s->hosts[s->host_count] = (struct survey_host){*a, name, (uint32_t)s->host_count};
	s->host_count++;
	return 0;
}

int surveys_add_names(struct surveys *s, struct bytes text, const char *file, struct fault *fault)
{
	const struct survey_mark mark = mark_of(s);
	struct reader r = reader_of_bytes(text);
	struct bytes line, first, rest, comment;
	struct address a;
	int bad = 0;
	if (text.len > SURVEY_TEXT_MAX)
		return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", file, SURVEY_TEXT_MAX);
	while (!bad && next_line(&r, &line)) {
		split_line(line, &first, &rest, &comment);
		const char *name = first.len && address_parse(first, &a) ? keep_host_name(s, rest) : NULL;
		if (name)
			bad = add_host(s, &a, name);
		else
			s->skipped += first.len > 0;
	}
	size_t taken = s->host_count - mark.hosts;
	uint64_t skipped = s->skipped - mark.skipped;
	if (bad)
		bad = explain(bad, file, fault);
	else if ((double)skipped > SKIPPED_LIST_MAX * (double)(taken + skipped))
		bad = fault_set(fault, ERR_BAD, "%s: %llu of its lines are not \"ADDRESS NAME\"", file,
				(unsigned long long)skipped);
	if (bad)
		mark_restore(s, &mark);
	return bad;
}
