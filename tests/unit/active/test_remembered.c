#include "active/remembered.h"
#include "tests/test.h"

static struct event e;

static const char *changed(struct remembered *r, uint32_t host, const char *product, const char *version, const char *certificate,
			   uint64_t now_us, uint64_t *since_us)
{
	static char text[128];
	struct address a = address_v4(host);
	const struct remembered_signal signals[2] = {{"certificate", bytes_of_text(certificate)}, {"host key", {0}}};
	event_begin(&e, EVENT_HOST_IDENTIFIED);
	event_set_address(&e, FIELD_SRC, &a);
	if (*product)
		event_set_text(&e, FIELD_DEVICE_PRODUCT, product);
	if (*version)
		event_set_text(&e, FIELD_DEVICE_VERSION, version);
	remembered_compare(r, &e, signals, now_us);
	int field = field_find(BYTES("changed")), since = field_find(BYTES("changed.since"));
	CHECK(field > 0 && since > 0);
	*since_us = event_number(&e, (uint16_t)since, 0);
	CHECK(bytes_copy_text(event_bytes(&e, (uint16_t)field), text, sizeof text));
	return text;
}

TEST(remembered_tells_what_differs_and_since_when)
{
	struct remembered *r = NULL;
	uint64_t since;
	CHECK(event_start(NULL) == 0 && remembered_open(&r, 77) == 0);
	CHECK(!*changed(r, 1, "DIR-600", "2.11", "cert", 10, &since) && !since);
	CHECK(!*changed(r, 1, "DIR-600", "2.11", "cert", 20, &since));
	CHECK(!strcmp(changed(r, 1, "DIR-600", "2.12", "cert", 30, &since), "version") && since == 20);
	CHECK(!strcmp(changed(r, 1, "RT-N66U", "2.13", "other", 40, &since), "product, version, certificate") && since == 30);
	CHECK(!*changed(r, 2, "RT-N66U", "9", "third", 40, &since)); /* another host */
	CHECK(!*changed(r, 1, "RT-N66U", "", "", 50, &since)); /* what was not asked is not gone */
	CHECK(!strcmp(changed(r, 1, "RT-N66U", "2.14", "other", 60, &since), "version") && since == 50);
	remembered_close(r);
}
