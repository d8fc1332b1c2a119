/* Who talks with whom: a socket pair for each pair of processes that stand. */
#include "base/log.h"
#include "bus/parent_inner.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

bool role_talks_to(const struct role *role, const char *name)
{
	for (const char *const *t = role->talks_to; t && *t; t++)
		if (!strcmp(*t, name))
			return true;
	return false;
}

static void tell_link(const struct child *to, const char *role, unsigned worker, int fd)
{
	uint8_t room[PROCESS_NAME_MAX + 2];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, (uint16_t)worker);
	write_text(&w, role);
	channel_send(to->channel, CHANNEL_LINK, writer_bytes(&w), fd);
}

static void link_pair(const struct child *a, const struct child *b)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds)) {
		log_error("%s and %s cannot be linked: %s", a->role->name, b->role->name, strerror(errno));
		return;
	}
	tell_link(a, b->role->name, b->prepared.worker, fds[0]);
	tell_link(b, a->role->name, a->prepared.worker, fds[1]);
	close(fds[0]);
	close(fds[1]);
}

/* The parent itself tells the journal what became of its processes. */
static void link_parent(struct parent *parent, const struct child *journal)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
		return;
	const struct bus_rights nothing = {0};
	tell_link(journal, "parent", 0, fds[1]);
	close(fds[1]);
	if (bus_link(parent->bus, fds[0], "journal", 0, &nothing))
		close(fds[0]);
	else
		parent->bus_linked = true;
}

void parent_link_child(struct parent *parent, struct child *child)
{
	for (size_t i = 0; i < parent->count; i++) {
		struct child *other = &parent->children[i];
		if (other == child || !other->ready)
			continue;
		if (role_talks_to(child->role, other->role->name) ||
		    role_talks_to(other->role, child->role->name))
			link_pair(child, other);
	}
	if (!strcmp(child->role->name, "journal"))
		link_parent(parent, child);
}

static bool has_all_links(const struct parent *parent, const struct child *child)
{
	for (size_t i = 0; i < parent->count; i++) {
		const struct child *other = &parent->children[i];
		bool given_up = other->role->optional && other->deaths;
		if (role_talks_to(child->role, other->role->name) && !other->ready && !given_up)
			return false;
	}
	return true;
}

/* A process begins its work when all that it talks to stand, so that its first event has a taker. */
void parent_tell_linked(struct parent *parent)
{
	for (size_t i = 0; i < parent->count; i++) {
		struct child *c = &parent->children[i];
		if (!c->ready || c->told_linked || !has_all_links(parent, c))
			continue;
		c->told_linked = true;
		channel_send(c->channel, CHANNEL_LINKED, (struct bytes){0}, -1);
	}
}

void parent_report(struct parent *parent, const struct child *c, const char *state, const char *detail)
{
	static struct event e;
	char who[PROCESS_NAME_MAX + 16];
	event_begin(&e, EVENT_SENSOR_CHANGED);
	if (c) {
		snprintf(who, sizeof who, "%s/%u", c->role->name, c->prepared.worker);
		event_set_text(&e, FIELD_SERVICE, who);
		event_set_number(&e, FIELD_COUNT, c->deaths);
	}
	event_set_text(&e, FIELD_STATE, state);
	event_set_text(&e, FIELD_CONFIG_VERSION, parent->options->config->version);
	if (detail)
		event_set_text(&e, FIELD_DETAIL, detail);
	if (bus_publish(parent->bus, &e))
		log_error("an event of the parent (%s) was not taken, the journal is behind", state);
}
