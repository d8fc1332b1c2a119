#include "base/options.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define PATH_MAX_KEPT 256

struct binding {
	const char *file;
	struct arena *arena;
	struct fault *fault;
};

static const size_t sizes[] = {
	[OPTION_BOOL] = sizeof(bool),
	[OPTION_NUMBER] = sizeof(uint64_t),
	[OPTION_FRACTION] = sizeof(double),
	[OPTION_TEXT] = sizeof(char *),
	[OPTION_DURATION] = sizeof(uint64_t),
	[OPTION_SIZE] = sizeof(uint64_t),
	[OPTION_ADDRESS] = sizeof(struct address),
	[OPTION_PREFIX] = sizeof(struct prefix),
	[OPTION_CHOICE] = sizeof(int),
	[OPTION_NODE] = sizeof(struct yaml_node *),
};

static int complain(const struct binding *b, const struct yaml_node *n, const char *path,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int complain(const struct binding *b, const struct yaml_node *n, const char *path,
		    const char *fmt, ...)
{
	char what[320];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return fault_set(b->fault, ERR_BAD, "%s:%u: %s: %s", b->file, n ? n->line : 1, path, what);
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {{"ms", 1},      {"s", 1000},       {"m", 60000},
					{"h", 3600000}, {"d", 86400000},   {NULL, 0}};
static const struct unit sizes_of_bytes[] = {{"K", 1u << 10}, {"KiB", 1u << 10}, {"M", 1u << 20},
					     {"MiB", 1u << 20}, {"G", 1u << 30}, {"GiB", 1u << 30},
					     {NULL, 0}};

/* Digits, then an optional unit; a bare number counts in `bare` (0: the unit is needed). */
static bool with_unit(struct bytes text, const struct unit *units, uint64_t bare, uint64_t *out)
{
	size_t digits = 0;
	while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9')
		digits++;
	uint64_t number, factor = 0;
	if (!bytes_number((struct bytes){text.at, digits}, UINT64_MAX, &number))
		return false;
	struct bytes unit = bytes_trim((struct bytes){text.at + digits, text.len - digits});
	if (unit.len == 0)
		factor = number == 0 ? 1 : bare;
	for (const struct unit *u = units; u->name && unit.len; u++)
		if (bytes_equal_text(unit, u->name))
			factor = u->factor;
	if (factor == 0 || number > UINT64_MAX / factor)
		return false;
	*out = number * factor;
	return true;
}

static bool read_bool(struct bytes text, bool *out)
{
	static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
	for (int i = 0; i < 3; i++) {
		if (bytes_equal_nocase(text, yes[i]) || bytes_equal_nocase(text, no[i])) {
			*out = bytes_equal_nocase(text, yes[i]);
			return true;
		}
	}
	return false;
}

static bool read_fraction(struct bytes text, double *out)
{
	char s[32], *end;
	if (!bytes_copy_text(text, s, sizeof s) || !s[0])
		return false;
	double v = strtod(s, &end);
	if (*end || !(v >= 0 && v <= 1))
		return false;
	*out = v;
	return true;
}

static const char *expectation(const struct option *o, char *text, size_t n)
{
	static const char *const plain[] = {
		[OPTION_BOOL] = "true or false",
		[OPTION_NUMBER] = "a number",
		[OPTION_FRACTION] = "a number from 0 to 1",
		[OPTION_TEXT] = "a text",
		[OPTION_DURATION] = "a duration such as 250ms, 5s, 10m, 2h or 30d",
		[OPTION_SIZE] = "a size such as 512, 64K, 16M or 2G",
		[OPTION_ADDRESS] = "an address such as 192.0.2.1 or 2001:db8::1",
		[OPTION_PREFIX] = "a prefix such as 192.0.2.0/24 or 2001:db8::/32",
		[OPTION_CHOICE] = "one of",
		[OPTION_MAP] = "a map of names and values",
		[OPTION_LIST] = "a list",
		[OPTION_PAIRS] = "a map of names and values",
		[OPTION_NODE] = "a value",
	};
	struct writer w = writer_of(text, n - 1);
	write_text(&w, plain[o->type]);
	for (const char *const *c = o->choices; o->type == OPTION_CHOICE && c && *c; c++)
		write_fmt(&w, "%s %s", c == o->choices ? "" : ",", *c);
	*w.at = '\0';
	return text;
}

static int read_choice(const struct option *o, struct bytes text)
{
	for (int i = 0; o->choices[i]; i++)
		if (bytes_equal_text(text, o->choices[i]))
			return i;
	return -1;
}

static bool scalar_fits(const struct option *o, struct bytes text, void *to)
{
	switch (o->type) {
	case OPTION_BOOL:
		return read_bool(text, to);
	case OPTION_FRACTION:
		return read_fraction(text, to);
	case OPTION_NUMBER:
		return bytes_number(text, UINT64_MAX, to);
	case OPTION_DURATION:
		return with_unit(text, durations, 0, to);
	case OPTION_SIZE:
		return with_unit(text, sizes_of_bytes, 1, to);
	case OPTION_ADDRESS:
		return address_parse(text, to);
	case OPTION_PREFIX:
		return prefix_parse(text, to);
	case OPTION_CHOICE:
		*(int *)to = read_choice(o, text);
		return *(int *)to >= 0;
	default:
		return false;
	}
}

static bool has_bounds(const struct option *o)
{
	return o->type == OPTION_NUMBER || o->type == OPTION_DURATION || o->type == OPTION_SIZE;
}

/* `n` gives the line and may be NULL for a fallback. */
static int bind_scalar(const struct binding *b, const struct option *o, const struct yaml_node *n,
		       struct bytes text, const char *path, void *to)
{
	char right[256], quoted[96];
	if (o->type == OPTION_TEXT) {
		if (text.len && memchr(text.at, 0, text.len))
			return complain(b, n, path, "holds a NUL byte, a text may not");
		*(const char **)to = arena_text(b->arena, text);
		return *(const char **)to ? 0 : complain(b, n, path, "no memory for it");
	}
	if (!scalar_fits(o, text, to)) {
		size_t keep = text.len < sizeof quoted - 1 ? text.len : sizeof quoted - 1;
		bytes_copy_text((struct bytes){text.at, keep}, quoted, sizeof quoted);
		return complain(b, n, path, "\"%s\" is not %s", quoted, expectation(o, right, sizeof right));
	}
	if (!has_bounds(o))
		return 0;
	uint64_t v = *(uint64_t *)to;
	const char *unit = o->type == OPTION_DURATION ? " ms" : o->type == OPTION_SIZE ? " bytes" : "";
	if (v < o->min)
		return complain(b, n, path, "%llu%s is below %llu", (unsigned long long)v, unit,
				(unsigned long long)o->min);
	if (o->max && v > o->max)
		return complain(b, n, path, "%llu%s is above %llu", (unsigned long long)v, unit,
				(unsigned long long)o->max);
	return 0;
}

static int bind_value(const struct binding *, const struct option *, const struct yaml_node *,
		      const char *path, void *to);
static int bind_map(const struct binding *, const struct option *fields, const struct yaml_node *,
		    const char *path, void *to);

static int bind_list(const struct binding *b, const struct option *o, const struct yaml_node *n,
		     const char *path, struct option_list *list)
{
	struct option element = *o;
	element.type = o->element;
	size_t size = o->element == OPTION_MAP ? o->size : sizes[o->element];
	/* One value where a list is wanted is a list of one: `prefixes: 192.0.2.0/24`. */
	bool single = n->type != YAML_LIST;
	size_t count = single ? 1 : n->count;
	if (count > OPTION_LIST_MAX)
		return complain(b, n, path, "more than %d entries", OPTION_LIST_MAX);
	uint8_t *items = arena_alloc(b->arena, count ? count * size : 1);
	if (!items)
		return complain(b, n, path, "too large for the configuration's memory");
	size_t i = 0;
	for (const struct yaml_node *it = single ? n : n->first; i < count; it = it->next, i++) {
		char at[PATH_MAX_KEPT];
		snprintf(at, sizeof at, "%s[%zu]", path, i);
		int bad = bind_value(b, &element, it, at, items + i * size);
		if (bad)
			return bad;
	}
	*list = (struct option_list){items, count};
	return 0;
}

static int bind_pairs(const struct binding *b, const struct yaml_node *n, const char *path,
		      struct option_list *list)
{
	if (n->type != YAML_MAP)
		return complain(b, n, path, "is not a map of names and values");
	struct option_pair *pairs = arena_alloc(b->arena, (n->count + 1) * sizeof *pairs);
	if (!pairs)
		return complain(b, n, path, "too large for the configuration's memory");
	size_t i = 0;
	YAML_EACH(n, it) {
		if (it->type != YAML_SCALAR)
			return complain(b, it, path, "%s is not a single value", it->key);
		struct option_pair *pair = &pairs[i++];
		/* Of its own: the document may be gone before what was read of it. */
		*pair = (struct option_pair){arena_text(b->arena, bytes_of_text(it->key)),
					     arena_copy(b->arena, it->text), it->line};
		if (!pair->name || !pair->value.at)
			return complain(b, n, path, "too large for the configuration's memory");
	}
	*list = (struct option_list){pairs, i};
	return 0;
}

static int bind_value(const struct binding *b, const struct option *o, const struct yaml_node *n,
		      const char *path, void *to)
{
	char right[256];
	switch (o->type) {
	case OPTION_NODE:
		*(const struct yaml_node **)to = n;
		return 0;
	case OPTION_MAP:
		return bind_map(b, o->fields, n, path, to);
	case OPTION_LIST:
		return bind_list(b, o, n, path, to);
	case OPTION_PAIRS:
		return bind_pairs(b, n, path, to);
	default:
		if (n->type != YAML_SCALAR)
			return complain(b, n, path, "is a %s, %s is expected",
					n->type == YAML_MAP ? "map" : "list",
					expectation(o, right, sizeof right));
		return bind_scalar(b, o, n, n->text, path, to);
	}
}

static int bind_absent(const struct binding *b, const struct option *o, const struct yaml_node *map,
		       const char *path, void *to)
{
	if (o->required)
		return complain(b, map, path, "is missing, it must be given");
	if (o->type == OPTION_MAP)
		return bind_map(b, o->fields, NULL, path, to);
	if (!o->fallback)
		return 0; /* the struct is zeroed: 0, empty, absent */
	if (o->type != OPTION_LIST && o->type != OPTION_PAIRS)
		return bind_scalar(b, o, NULL, bytes_of_text(o->fallback), path, to);
	struct yaml_node *node;
	int bad = yaml_read(bytes_of_text(o->fallback), "default", b->arena, &node, b->fault);
	return bad ? bad : bind_value(b, o, node, path, to);
}

size_t option_edits(const char *a, const char *b)
{
	size_t n = strlen(b), row[64];
	if (n >= sizeof row / sizeof *row)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t above = row[j + 1], best = corner + (a[i] != b[j]);
			best = above + 1 < best ? above + 1 : best;
			row[j + 1] = row[j] + 1 < best ? row[j] + 1 : best;
			corner = above;
		}
	}
	return row[n];
}

static int complain_unknown(const struct binding *b, const struct option *fields,
			    const struct yaml_node *n, const char *path)
{
	const char *nearest = NULL;
	size_t best = OPTION_EDITS_MAX + 1;
	for (const struct option *o = fields; o->name; o++) {
		size_t distance = option_edits(n->key, o->name);
		if (distance < best) {
			best = distance;
			nearest = o->name;
		}
	}
	if (nearest)
		return complain(b, n, path, "there is no such option, did you mean \"%s\"?", nearest);
	char all[240];
	struct writer w = writer_of(all, sizeof all - 1);
	for (const struct option *o = fields; o->name; o++)
		write_fmt(&w, "%s%s", o == fields ? "" : ", ", o->name);
	*w.at = '\0';
	return complain(b, n, path, "there is no such option, there are: %s", all);
}

static int bind_map(const struct binding *b, const struct option *fields, const struct yaml_node *n,
		    const char *path, void *to)
{
	char at[PATH_MAX_KEPT];
	if (n && n->type == YAML_SCALAR && n->text.len == 0)
		n = NULL; /* `services:` with nothing behind it */
	if (n && n->type != YAML_MAP) {
		/* A scalar where a map is wanted fills its first option: `scope: [192.0.2.0/24]`. */
		if (n->type != YAML_SCALAR)
			return complain(b, n, path, "is not a map of names and values");
		int bad = bind_value(b, fields, n, path, (uint8_t *)to + fields->offset);
		for (const struct option *o = fields + 1; !bad && o->name; o++)
			bad = bind_absent(b, o, n, path, (uint8_t *)to + o->offset);
		return bad;
	}
	for (const struct option *o = fields; o->name; o++) {
		const struct yaml_node *child = n ? yaml_child(n, o->name) : NULL;
		snprintf(at, sizeof at, "%s%s%s", path, *path ? "." : "", o->name);
		void *where = (uint8_t *)to + o->offset;
		int bad = child ? bind_value(b, o, child, at, where) : bind_absent(b, o, n, at, where);
		if (bad)
			return bad;
	}
	if (!n)
		return 0;
	YAML_EACH(n, it) {
		const struct option *o = fields;
		while (o->name && strcmp(o->name, it->key))
			o++;
		snprintf(at, sizeof at, "%s%s%s", path, *path ? "." : "", it->key);
		if (!o->name)
			return complain_unknown(b, fields, it, at);
	}
	return 0;
}

int options_bind(const struct option *options, const struct yaml_node *n, const char *file,
		 const char *path, struct arena *arena, void *out, struct fault *fault)
{
	const struct binding b = {file, arena, fault};
	return bind_map(&b, options, n, path, out);
}

void option_describe(const struct option *o, struct writer *w)
{
	char text[256];
	write_text(w, expectation(o, text, sizeof text));
	if (o->type == OPTION_LIST && o->element != OPTION_MAP) {
		struct option element = *o;
		element.type = o->element;
		write_fmt(w, " of %s each", expectation(&element, text, sizeof text));
	}
	if (has_bounds(o) && (o->min || o->max)) {
		write_fmt(w, ", from %llu", (unsigned long long)o->min);
		if (o->max)
			write_fmt(w, " to %llu", (unsigned long long)o->max);
		write_text(w, o->type == OPTION_DURATION ? " ms" : o->type == OPTION_SIZE ? " bytes" : "");
	}
	if (o->fallback)
		write_fmt(w, "; default %s", o->fallback);
	if (o->required)
		write_text(w, "; must be given");
}
