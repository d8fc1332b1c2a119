/* What went out is an event, too: for the console, for rules (`do: notify`) and for SQL; the audit is what proves it. */
#include "base/clock.h"
#include "base/log.h"
#include "share/audit.h"
#include "share/exchange_inner.h"
#include <string.h>

FIELD(field_action, "share.action", TEXT, 0, "how it went out: read, export, publish, ...");
FIELD(field_organisation, "share.organisation", TEXT, 0, "to whom; empty: the operator's own");
FIELD(field_collection, "share.collection", TEXT, 0, "out of which collection");
FIELD(field_format, "share.format", TEXT, 0, "in which format");
FIELD(field_policy, "share.policy", TEXT, 0, "as which policy of fields lets it be seen");
FIELD(field_sha256, "share.sha256", TEXT, 0, "digest of the bytes that were sent; the audit's line has it too");

static void set_text(struct event *e, uint16_t field, const char *text)
{
	if (text && *text)
		event_set_text(e, field, text);
}

static void publish(struct exchange *x, const struct audit_entry *entry)
{
	char hex[2 * AUDIT_DIGEST + 1];
	struct event *e = &x->event;
	for (size_t i = 0; i < AUDIT_DIGEST; i++)
		snprintf(hex + 2 * i, 3, "%02x", entry->digest[i]);
	event_begin(e, EVENT_RECORD_SHARED);
	e->time_us = clock_utc_us();
	e->id = (struct event_id){0};
	set_text(e, field_action, entry->action);
	set_text(e, field_organisation, entry->organisation);
	set_text(e, field_collection, entry->collection);
	set_text(e, field_format, entry->format);
	set_text(e, field_policy, entry->policy);
	set_text(e, field_sha256, hex);
	event_set_number(e, FIELD_COUNT, entry->objects);
	if (spool_publish(x->spool, e))
		log_warning("exchange: what went out to %s is told by the audit alone", entry->organisation ? entry->organisation : "the operator");
}

int exchange_shared(struct exchange *x, const struct audit_entry *entry)
{
	int bad = audit_add(x->audit, entry);
	/* A preview goes to nobody, and what is written comes in. */
	if (!bad && entry->digest && entry->objects && strcmp(entry->action, "preview") && strcmp(entry->action, "write"))
		publish(x, entry);
	return bad;
}
