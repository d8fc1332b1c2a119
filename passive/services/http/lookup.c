#include "passive/services/http/lookup.h"
#include "passive/services/http/form.h"

#define NESTED_MAX 256    /* hidden letters that are resolved */
#define EXPRESSION_MAX 512 /* of one template */
#define EXPRESSIONS_MAX 64 /* brackets that are looked into */

/* What an innermost ${...} stands for: its letter or its default; false for any other. */
static bool resolved(struct bytes inner, struct bytes *value)
{
	struct bytes head = {inner.at, inner.len < 6 ? inner.len : 6};
	static const char *const words[] = {"lower:", "upper:"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (bytes_equal_nocase(head, words[i])) {
			*value = (struct bytes){inner.at + strlen(words[i]), inner.len - strlen(words[i])};
			return true;
		}
	size_t at = bytes_find(inner, ":-");
	if (at == inner.len || bytes_find_nocase(head, "jndi:") == 0)
		return false;
	*value = (struct bytes){inner.at + at + 2, inner.len - at - 2};
	return true;
}

/* One pass over the text, from the end of each ${...} back to its begin. */
static size_t resolve(uint8_t *text, size_t len)
{
	size_t starts[NESTED_MAX], depth = 0, n = 0;
	for (size_t i = 0; i < len; i++) {
		text[n++] = text[i];
		if (text[n - 1] == '{' && n > 1 && text[n - 2] == '$' && depth < NESTED_MAX) {
			starts[depth++] = n;
		} else if (text[n - 1] == '}' && depth) {
			size_t from = starts[--depth];
			struct bytes value;
			if (!resolved((struct bytes){text + from, n - 1 - from}, &value))
				continue;
			memmove(text + from - 2, value.at, value.len);
			n = from - 2 + value.len;
		}
	}
	return n;
}

void lookup_unwrap(struct bytes raw, struct writer *out)
{
	uint8_t room[LOOKUP_MAX];
	struct writer w = writer_of(room, sizeof room);
	form_decode((struct bytes){raw.at, raw.len < LOOKUP_MAX ? raw.len : LOOKUP_MAX}, &w);
	struct bytes text = {room, resolve(room, writer_used(&w))};
	write_bytes(out, text.at, text.len < writer_left(out) ? text.len : writer_left(out));
}

/* From the sign on, up to the bracket that closes it. */
static struct bytes within(struct bytes text, size_t at, size_t sign)
{
	size_t depth = 1, i = at + sign;
	for (; i < text.len && i - at < EXPRESSION_MAX && depth && text.at[i] != '\n'; i++)
		depth += (text.at[i] == '{') - (text.at[i] == '}');
	return depth ? (struct bytes){0} : (struct bytes){text.at + at, i - at};
}

struct bytes lookup_find(struct bytes text)
{
	size_t at = bytes_find_nocase(text, "${jndi:");
	if (at == text.len)
		return (struct bytes){0};
	struct bytes whole = within(text, at, 2);
	if (whole.len == 0) { /* cut off: what there is of it tells enough */
		struct bytes rest = {text.at + at + 2, text.len - at - 2};
		size_t n = 0;
		while (n < rest.len && rest.at[n] > ' ')
			n++;
		return (struct bytes){rest.at, n};
	}
	return (struct bytes){whole.at + 2, whole.len - 3};
}

struct bytes lookup_url(struct bytes lookup)
{
	size_t at = bytes_find_nocase(lookup, "jndi:");
	if (at == lookup.len)
		return (struct bytes){0};
	return (struct bytes){lookup.at + at + 5, lookup.len - at - 5};
}

static bool is_expression(struct bytes inner)
{
	static const char *const words[] = {"7*7",     "T(java",  "#a=",       "#_memberAccess", "#context", "@java",
	                                    "__class__", "config", "request.",  "self.",          "new java", "getClass",
	                                    "exec(",   "Runtime", "cycler",    "lipsum",         "constant(", "script:"};
	size_t digits = 0, signs = 0;
	for (size_t i = 0; i < inner.len; i++) {
		digits += inner.at[i] >= '0' && inner.at[i] <= '9';
		signs += inner.at[i] == '*' || inner.at[i] == '+' || inner.at[i] == '-';
	}
	if (digits && signs && digits + signs == inner.len)
		return true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (bytes_find(inner, words[i]) < inner.len)
			return true;
	return false;
}

struct bytes template_find(struct bytes text)
{
	unsigned looked = 0;
	for (size_t i = 0; i + 3 < text.len && looked < EXPRESSIONS_MAX; i++) {
		if (text.at[i + 1] != '{' || !memchr("${#%@*", text.at[i], 6))
			continue;
		looked++;
		struct bytes whole = within(text, i, 2);
		size_t close = text.at[i] == '{' ? 2 : 1;
		if (text.at[i] == '{' && whole.len) /* two brackets close it */
			whole.len += whole.at + whole.len < text.at + text.len && whole.at[whole.len] == '}';
		if (whole.len > 2 + close &&
		    is_expression((struct bytes){whole.at + 2, whole.len - 2 - close}))
			return whole;
	}
	return (struct bytes){0};
}
