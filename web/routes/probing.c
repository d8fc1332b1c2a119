/*
 * Who is probing, why, and how to make it stop: /.well-known/probing.txt (RFC 9511 4) and a
 * page for people.  Both are made from the configuration's `operator`.
 */
#include "web/route.h"
#include "base/clock.h"
#include "event/event.h"

#define YEAR_US 31536000000000u

static const char *operator_says(const struct web_request *rq, const char *key, const char *absent)
{
	const struct process *p = web_process((struct web_request *)(uintptr_t)rq);
	const struct yaml_node *op = yaml_child(p->config->root, "operator");
	const struct yaml_node *value = op && op->type == YAML_MAP ? yaml_child(op, key) : NULL;
	return value && value->type == YAML_SCALAR && value->text.len ? (const char *)value->text.at : absent;
}

static void probing_serve(struct web_request *rq)
{
	char text[2048], expires[TIME_TEXT_MAX];
	const char *contact = operator_says(rq, "contact", NULL), *page = operator_says(rq, "page", NULL);
	struct writer w = writer_of(text, sizeof text);
	if (!contact) {
		web_fail(rq, 404, "no-contact", "no operator is configured, so nothing is probed");
		return;
	}
	if (page)
		write_fmt(&w, "Canonical: %s\n", page);
	write_fmt(&w, "Contact: mailto:%s\n", contact);
	write_fmt(&w, "Expires: %s\n", time_format(clock_utc_us() + YEAR_US, expires));
	write_fmt(&w, "Preferred-Languages: en, ja\nDescription: %s looks once, politely, at hosts that attacked "
		      "its decoys, to learn what kind of device they are. No password is tried, nothing is "
		      "changed. Write to the contact to be left out; it takes effect at once.\n",
		  operator_says(rq, "name", "The operator"));
	web_reply(rq, 200, "text/plain; charset=utf-8", writer_bytes(&w));
}

static const struct route probing = {
	"GET", "/.well-known/probing.txt", "who probes, why, and how to opt out (RFC 9511)", probing_serve};
ROUTE(probing);
