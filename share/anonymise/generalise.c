#include "share/anonymise/generalise_inner.h"
#include "base/address.h"
#include "event/field.h"
#include <ctype.h>

static bool is_port(uint16_t field)
{
	const struct field_definition *d = field_definition(field);
	const size_t n = d ? strlen(d->name) : 0;
	return n >= 4 && !strcmp(d->name + n - 4, "port");
}

uint64_t generalise_number(uint16_t field, uint64_t n)
{
	uint64_t power = 1;
	if (is_port(field))
		return n < 1024 ? 0 : n < 49152 ? 1024 : 49152;
	if (!n)
		return 0;
	while (power <= n / 10)
		power *= 10;
	return power;
}

static bool is_name(struct bytes b)
{
	bool dot = false;
	for (size_t i = 0; i < b.len; i++) {
		if (!isalnum(b.at[i]) && b.at[i] != '-' && b.at[i] != '.' && b.at[i] != '_')
			return false;
		dot |= b.at[i] == '.';
	}
	return dot && b.len <= 253;
}

/*
 * The last two labels, or three where the last has two letters and the one before at most three: co.uk, ac.jp.  The
 * list of public suffixes is long and changes; who needs it exactly drops the field.
 */
static struct bytes domain_of(struct bytes name)
{
	size_t labels = 0, from = name.len, lengths[2] = {0};
	struct address a;
	if (!is_name(name) || address_parse(name, &a))
		return name;
	while (from) {
		size_t end = from;
		while (from && name.at[from - 1] != '.')
			from--;
		if (labels < 2)
			lengths[labels] = end - from;
		labels++;
		if (labels >= 3 || (labels == 2 && !(lengths[0] == 2 && lengths[1] <= 3)) || !from)
			break;
		from--;
	}
	return (struct bytes){name.at + from, name.len - from};
}

struct bytes generalise_text(struct bytes text)
{
	const size_t scheme = bytes_find(text, "://");
	if (scheme < text.len && scheme <= 16) {
		size_t end = scheme + 3;
		while (end < text.len && !strchr("/?# \r\n\t", text.at[end]))
			end++;
		return (struct bytes){text.at, end};
	}
	const size_t at = bytes_find(text, "@");
	if (at < text.len) {
		const struct bytes host = {text.at + at + 1, text.len - at - 1};
		return is_name(host) ? domain_of(host) : text;
	}
	return domain_of(text);
}
