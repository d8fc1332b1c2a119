#include "control/approvals_inner.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_over(const struct approval *a)
{
	return a->standing.state == APPROVAL_SPENT || a->standing.state == APPROVAL_EXPIRED ||
	       a->standing.state == APPROVAL_DECLINED;
}

struct approval *approvals_same(const struct approvals *s, const char *role, const struct approval_ask *ask)
{
	for (size_t i = s->count; i-- > 0;) {
		struct approval *a = s->items[i];
		if (a->standing.state != APPROVAL_SPENT && a->standing.state != APPROVAL_EXPIRED &&
		    !strcmp(a->role, role) && !strcmp(a->ask.kind, ask->kind) && a->ask.port == ask->port &&
		    address_equal(&a->ask.target, &ask->target) && bytes_equal(a->ask.text, ask->text))
			return a;
	}
	return NULL;
}

struct approval *approvals_find(const struct approvals *s, const struct event_id *id)
{
	for (size_t i = 0; i < s->count; i++)
		if (id_equal(&s->items[i]->standing.id, id))
			return s->items[i];
	return NULL;
}

static void remove_at(struct approvals *s, size_t i)
{
	free(s->items[i]);
	memmove(&s->items[i], &s->items[i + 1], (--s->count - i) * sizeof *s->items);
}

size_t approvals_forget(struct approvals *s, bool (*match)(void *arg, const struct approval *), void *arg)
{
	const size_t before = s->count;
	for (size_t i = s->count; i-- > 0;)
		if (match(arg, s->items[i]))
			remove_at(s, i);
	return before - s->count;
}

void approvals_done(struct approvals *s)
{
	while (s->count)
		remove_at(s, s->count - 1);
}

/* Where a new one may stand: at the end, after the oldest that is over has left if need be. */
static bool make_room(struct approvals *s)
{
	for (size_t i = 0; s->count == APPROVALS_MAX && i < s->count; i++)
		if (is_over(s->items[i]))
			remove_at(s, i);
	return s->count < APPROVALS_MAX;
}

static void digest_text(struct bytes text, char hex[65])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	EVP_Digest(text.at, text.len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static struct approval *approval_new(const struct approval_ask *ask)
{
	struct approval *a = calloc(1, sizeof *a + ask->text.len);
	if (!a)
		return NULL;
	a->ask = *ask;
	memcpy(a->text, ask->text.at, ask->text.len);
	a->ask.text.at = a->text;
	digest_text(a->ask.text, a->sha256);
	return a;
}

int approvals_add(struct approvals *s, const char *role, const struct approval_ask *ask, const struct event_id *id,
		  uint64_t now_us, struct approval **out)
{
	size_t waiting = 0;
	for (size_t i = 0; i < s->count; i++)
		waiting += s->items[i]->standing.state == APPROVAL_WAITING && !strcmp(s->items[i]->role, role);
	if (waiting >= APPROVALS_WAITING_MAX || !make_room(s))
		return ERR_FULL;
	struct approval *a = approval_new(ask);
	if (!a)
		return ERR_MEMORY;
	snprintf(a->role, sizeof a->role, "%s", role);
	a->asked_us = now_us;
	a->standing = (struct approval_standing){*id, APPROVAL_WAITING, now_us + APPROVAL_WAITS_US};
	s->items[s->count++] = a;
	*out = a;
	return 0;
}

static void write_short(struct writer *w, const char *text)
{
	write_u8(w, (uint8_t)strlen(text));
	write_text(w, text);
}

static void read_short(struct reader *r, char *text, size_t n)
{
	if (!bytes_copy_text(read_bytes(r, read_u8(r)), text, n))
		r->bad = true;
}

void approval_write(const struct approval *a, struct writer *w)
{
	approval_standing_write(&a->standing, w);
	write_short(w, a->role);
	write_short(w, a->by);
	write_short(w, a->note);
	write_u64(w, a->asked_us);
	write_u64(w, a->decided_us);
	approval_ask_write(&a->ask, w);
}

void approvals_read(struct approvals *s, struct reader *r)
{
	struct approval kept = {.asked_us = 0};
	if (!approval_standing_read(r, &kept.standing))
		return;
	read_short(r, kept.role, sizeof kept.role);
	read_short(r, kept.by, sizeof kept.by);
	read_short(r, kept.note, sizeof kept.note);
	kept.asked_us = read_u64(r);
	kept.decided_us = read_u64(r);
	if (!approval_ask_read(r, &kept.ask) || !reader_ok(r))
		return;
	struct approval *a = approval_new(&kept.ask);
	if (!a)
		return;
	a->standing = kept.standing;
	a->asked_us = kept.asked_us;
	a->decided_us = kept.decided_us;
	memcpy(a->role, kept.role, sizeof a->role);
	memcpy(a->by, kept.by, sizeof a->by);
	memcpy(a->note, kept.note, sizeof a->note);
	for (size_t i = 0; i < s->count; i++)
		if (id_equal(&s->items[i]->standing.id, &a->standing.id)) {
			free(s->items[i]);
			s->items[i] = a;
			return;
		}
	if (make_room(s))
		s->items[s->count++] = a;
	else
		free(a);
}
