#include "bus/approval.h"

static const char *const state_names[APPROVAL_STATES] = {
	[APPROVAL_WAITING] = "waiting",   [APPROVAL_APPROVED] = "approved", [APPROVAL_DECLINED] = "declined",
	[APPROVAL_SPENT] = "spent",       [APPROVAL_EXPIRED] = "expired",
};

const char *approval_state_name(enum approval_state s)
{
	return s > 0 && s < APPROVAL_STATES ? state_names[s] : "unknown";
}

static void write_short(struct writer *w, const char *text)
{
	write_u8(w, (uint8_t)strlen(text));
	write_text(w, text);
}

static void read_short(struct reader *r, char *text, size_t n)
{
	struct bytes b = read_bytes(r, read_u8(r));
	if (!bytes_copy_text(b, text, n) || !bytes_is_utf8(b))
		r->bad = true;
}

static void read_id(struct reader *r, struct event_id *id)
{
	struct bytes b = read_bytes(r, sizeof id->b);
	if (b.len)
		memcpy(id->b, b.at, b.len);
}

void approval_ask_write(const struct approval_ask *a, struct writer *w)
{
	write_short(w, a->kind);
	write_short(w, a->title);
	write_short(w, a->sample);
	write_bytes(w, a->target.b, sizeof a->target.b);
	write_u16(w, a->port);
	write_u64(w, a->holds_us);
	write_bytes(w, a->cause.b, sizeof a->cause.b);
	write_bytes(w, a->root.b, sizeof a->root.b);
	write_u64(w, a->depth);
	write_u16(w, (uint16_t)a->text.len);
	write_span(w, a->text);
	w->bad |= a->text.len > APPROVAL_TEXT_MAX;
}

bool approval_ask_read(struct reader *r, struct approval_ask *out)
{
	struct approval_ask a = {0};
	read_short(r, a.kind, sizeof a.kind);
	read_short(r, a.title, sizeof a.title);
	read_short(r, a.sample, sizeof a.sample);
	struct bytes target = read_bytes(r, sizeof a.target.b);
	a.port = read_u16(r);
	a.holds_us = read_u64(r);
	read_id(r, &a.cause);
	read_id(r, &a.root);
	a.depth = read_u64(r);
	a.text = read_bytes(r, read_u16(r));
	if (!reader_ok(r) || !a.kind[0] || !a.title[0] || a.text.len == 0 || a.text.len > APPROVAL_TEXT_MAX)
		return false;
	memcpy(a.target.b, target.at, sizeof a.target.b);
	*out = a;
	return true;
}

void approval_standing_write(const struct approval_standing *s, struct writer *w)
{
	write_bytes(w, s->id.b, sizeof s->id.b);
	write_u8(w, (uint8_t)s->state);
	write_u64(w, s->until_us);
}

bool approval_standing_read(struct reader *r, struct approval_standing *out)
{
	struct approval_standing s = {0};
	read_id(r, &s.id);
	const uint8_t state = read_u8(r);
	s.until_us = read_u64(r);
	if (!reader_ok(r) || state == 0 || state >= APPROVAL_STATES)
		return false;
	s.state = (enum approval_state)state;
	*out = s;
	return true;
}
