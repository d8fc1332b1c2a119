/*
 * Names of software, as dictionaries of weaknesses write them: CPE 2.3 (NISTIR 7695), or the URI
 * of CPE 2.2 that most of Recog's rules still hold.  They are passed on as they stand.
 */
#include "active/identify/rules_inner.h"
#include <ctype.h>

#define BANNER_SHOWN_MAX 160

struct named {
	const char *cpe, *vendor, *product, *version;
	char part;
};

static const struct named names[] = {
	{"service.cpe23", "service.vendor", "service.product", "service.version", 'a'},
	{"service.component.cpe23", "service.component.vendor", "service.component.product",
	 "service.component.version", 'a'},
	{"os.cpe23", "os.vendor", "os.product", "os.version", 'o'},
	{"hw.cpe23", "hw.vendor", "hw.product", "hw.version", 'h'},
};

/* A name as an attribute of a CPE: lower case, _ for spaces, what is special quoted (NISTIR 7695 6.2). */
static void put_attribute(struct writer *w, struct bytes text)
{
	if (text.len == 0)
		write_u8(w, '*');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)tolower(text.at[i]);
		if (c <= ' ' || c >= 0x7f)
			c = '_';
		if (!isalnum(c) && c != '_' && c != '.' && c != '-')
			write_u8(w, '\\');
		write_u8(w, c);
	}
}

static bool put_cpe(struct writer *w, const struct named *n, const struct identify_hit *hit)
{
	struct bytes cpe = identify_value(hit, n->cpe), vendor = identify_value(hit, n->vendor),
		     product = identify_value(hit, n->product);
	if (bytes_start_with(cpe, "cpe:")) {
		for (size_t i = 0; i < cpe.len; i++)
			write_u8(w, cpe.at[i] <= ' ' || cpe.at[i] >= 0x7f ? '_' : cpe.at[i]);
		return true;
	}
	if (product.len == 0)
		return false;
	write_fmt(w, "cpe:2.3:%c:", n->part);
	put_attribute(w, vendor);
	write_u8(w, ':');
	put_attribute(w, product);
	write_u8(w, ':');
	put_attribute(w, identify_value(hit, n->version));
	write_text(w, ":*:*:*:*:*:*:*");
	return true;
}

void software_add(char *lines, size_t size, uint16_t port, const struct identify_hit *hit, struct bytes banner)
{
	char line[1024], shown[BANNER_SHOWN_MAX];
	struct writer s = writer_of(shown, sizeof shown);
	plain_text_put(&s, banner);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct writer w = writer_of(line, sizeof line - 2);
		size_t used = strlen(lines);
		write_fmt(&w, "%u %u %s ", port, hit->certainty, hit->rule);
		if (!put_cpe(&w, &names[i], hit))
			continue;
		write_u8(&w, ' ');
		write_span(&w, writer_bytes(&s));
		size_t len = writer_used(&w);
		line[len] = '\n';
		line[len + 1] = '\0';
		/* A line that does not fit is left out whole; a shorter one may still do. */
		if (!w.bad && used + len + 2 <= size && !strstr(lines, line))
			memcpy(lines + used, line, len + 2);
	}
}
