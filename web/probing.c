#include "web/probing.h"
#include "control/control.h"
#include "event/event.h"

#define HALF_A_YEAR_US 15768000000000u /* RFC 9116 2.5.5: less than a year */

static bool is_uri(const char *contact)
{
	return strstr(contact, "://") || !strncmp(contact, "mailto:", 7) || !strncmp(contact, "tel:", 4);
}

/* Where this very file stands (RFC 9116 2.5.2): on the page's addresses, else beside the operator's page. */
static void write_canonical(const struct config *config, const struct promises *p, struct writer *w)
{
	char url[512];
	if (control_page_url(config, url, sizeof url))
		write_fmt(w, "Canonical: %s/.well-known/probing.txt\n", url);
	else if (p->page)
		write_fmt(w, "Canonical: %s\n", p->page);
}

bool probing_write(const struct config *config, uint64_t now_us, struct writer *w)
{
	struct promises p;
	char expires[TIME_TEXT_MAX], url[512];
	control_promises(config, &p);
	if (!p.contact || !*p.contact)
		return false;
	write_canonical(config, &p, w);
	write_fmt(w, "Contact: %s%s\n", is_uri(p.contact) ? "" : "mailto:", p.contact);
	if (p.page)
		write_fmt(w, "Contact: %s\n", p.page);
	write_fmt(w, "Expires: %s\n", time_format(now_us + HALF_A_YEAR_US, expires));
	write_fmt(w,
		  "Preferred-Languages: en, ja\nDescription: %s looks once, politely, at hosts that attacked its "
		  "decoys, to learn what kind of device they are. No password is tried, nothing is changed. ",
		  p.name && *p.name ? p.name : "The operator");
	if (control_page_url(config, url, sizeof url))
		write_fmt(w, "%s/ says what is sent, and leaves you out at once if you ask there. ", url);
	write_text(w, "Write to the contact to be left out; it takes effect at once.\n");
	return true;
}
