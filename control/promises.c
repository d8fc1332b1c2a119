/* What the operator promises to those whom he looks at, for the page that tells them. */
#include "control/control.h"
#include "control/settings_inner.h"

void control_promises(const struct config *config, struct promises *out)
{
	const struct operator_options *operator = config_section(config, "operator");
	const struct active_options *active = config_section(config, "active");
	*out = (struct promises){
		.name = operator->name,
		.contact = operator->contact,
		.page = operator->page,
		.ports_max = active->ports_max,
		.packets_max = active->packets_max,
		.round_ms = active->round_ms,
		.tier = active->tier,
		.network_looks = active->network_looks,
		.page_options = &active->page,
	};
}

const char *control_page_url(const struct config *config, char *text, size_t n)
{
	const struct active_options *active = config_section(config, "active");
	const struct page_options *page = &active->page;
	const struct address *first = page->listen.items;
	char address[ADDRESS_TEXT_MAX] = "127.0.0.1", port[8] = "";
	if (page->port == 0)
		return NULL;
	if (page->url) {
		size_t len = strlen(page->url);
		while (len && page->url[len - 1] == '/')
			len--;
		snprintf(text, n, "%.*s", (int)len, page->url);
		return text;
	}
	bool six = page->listen.count && !address_is_v4(first);
	if (page->listen.count)
		address_format(first, address);
	if (page->port != 80)
		snprintf(port, sizeof port, ":%u", (unsigned)page->port);
	snprintf(text, n, "http://%s%s%s%s", six ? "[" : "", address, six ? "]" : "", port);
	return text;
}
