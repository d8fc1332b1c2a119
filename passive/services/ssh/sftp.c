/* Messages in, and handles at the end. */
#include "passive/services/ssh/sftp_inner.h"

bool sftp_claims(struct bytes command)
{
	struct bytes word = bytes_word(&command);
	return word.len >= 11 && !memcmp(word.at + word.len - 11, "sftp-server", 11);
}

bool sftp_start(struct ssh *h, struct ssh_channel *c)
{
	if (!c->sftp)
		c->sftp = arena_alloc(session_arena(h->session), sizeof *c->sftp);
	if (!c->sftp || !program_files(h))
		return false;
	c->sftp->begun = false;
	c->sftp->unread_len = 0;
	c->program = SSH_RUNS_SFTP;
	return true;
}

static bool message(struct ssh *h, struct ssh_channel *c, struct bytes b)
{
	struct reader r = reader_of_bytes(b);
	struct sftp_turn t = {h, c, c->sftp, program_files(h), 0};
	uint8_t type = read_u8(&r);
	t.files->now_s = (uint32_t)(session_time_us(h->session) / 1000000);
	if (type == SFTP_INIT) {
		c->sftp->begun = true;
		sftp_version(&t);
		return true;
	}
	t.id = read_u32(&r);
	if (!reader_ok(&r) || !c->sftp->begun)
		return false;
	sftp_request(&t, type, &r);
	return true;
}

/* One message off the front; false: none is whole, or there is no room for its answer. */
static bool message_take(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct reader look = *r;
	uint32_t len = read_u32(&look);
	if (!reader_ok(&look))
		return false;
	if (len < 1 || len > SFTP_MESSAGE_MAX) { /* sshd's server ends here, too */
		channel_end(c, 11);
		return false;
	}
	if (reader_left(&look) < len || channel_room(c) < SFTP_ANSWER_MAX)
		return false;
	*r = look;
	if (!message(h, c, read_bytes(r, len)))
		channel_end(c, 11);
	return !c->ending;
}

/* Adds to what is unread; false: more than any message may have. */
static bool unread_add(struct ssh *h, struct ssh_channel *c, struct bytes b)
{
	struct ssh_sftp *k = c->sftp;
	size_t before = k->unread_len;
	if (before + b.len > SFTP_MESSAGE_MAX + SSH_PACKET_MAX)
		return false;
	if (before + b.len > k->unread_room) {
		size_t room = k->unread_room ? k->unread_room : 4096;
		while (room < before + b.len)
			room *= 2;
		uint8_t *at = arena_alloc(session_arena(h->session), room);
		if (!at)
			return false;
		if (before)
			memcpy(at, k->unread, before);
		k->unread = at;
		k->unread_room = room;
	}
	if (b.len)
		memcpy(k->unread + before, b.at, b.len);
	k->unread_len += b.len;
	return true;
}

void sftp_input(struct ssh *h, struct ssh_channel *c, struct bytes input)
{
	struct ssh_sftp *k = c->sftp;
	bool kept = k->unread_len > 0;
	if (kept && !unread_add(h, c, input)) {
		channel_end(c, 11);
		return;
	}
	struct reader r = kept ? reader_of(k->unread, k->unread_len) : reader_of_bytes(input);
	while (!c->ending && message_take(h, c, &r))
		;
	struct bytes rest = read_rest(&r);
	k->unread_len = 0;
	if (kept && rest.len)
		memmove(k->unread, rest.at, rest.len);
	if (kept)
		k->unread_len = rest.len;
	else if (!c->ending && !unread_add(h, c, rest))
		channel_end(c, 11);
}

void sftp_gone(struct ssh *h, struct ssh_channel *c)
{
	for (size_t i = 0; c->sftp && i < SFTP_HANDLES_MAX; i++) {
		struct sftp_handle *f = &c->sftp->handles[i];
		if (f->kind == SFTP_WRITES)
			upload_end(h, &f->upload, "sftp");
		f->kind = SFTP_FREE;
	}
}
