/*
 * Identification strings (RFC 4253 4.2), read as the software that is claimed reads them:
 * kex_exchange_identification() of OpenSSH from 7.9 on, sshd_exchange_identification() before,
 * read_session_identification() of Dropbear.  What becomes of a bad one is its best fingerprint.
 */
#include "passive/services/ssh/ssh.h"

#define OPENSSH_LINE_MAX 8192
#define OLD_LINE_MAX 255
#define DROPBEAR_LINE_MAX 255

const char *ssh_banner(const struct ssh *h)
{
	return h->device && h->device->banner ? h->device->banner : h->software->banner;
}

/* `left` is what lies behind the last byte that was looked at: all these servers read one by one. */
static enum service_next refuse(struct ssh *h, struct bytes line, size_t left, const char *words)
{
	if (left)
		session_reset_at_end(h->session);
	h->version = (struct bytes){line.at, line.len < OLD_LINE_MAX ? line.len : OLD_LINE_MAX};
	ssh_tell_client(h, NULL);
	session_record(h->session, false, line);
	if (words)
		session_say(h->session, "%s", words);
	return SERVICE_CLOSE;
}

/* What sscanf("SSH-%d.%d-%[^\n]\n") makes of it; false: not all three. */
static bool parse(struct bytes line, uint64_t *major, uint64_t *minor, struct bytes *software)
{
	uint64_t *const numbers[] = {major, minor};
	static const char ends[] = ".-";
	if (!bytes_start_with(line, "SSH-"))
		return false;
	struct reader r = reader_of(line.at + 4, line.len - 4);
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *end = memchr(r.at, ends[i], reader_left(&r));
		if (!end || !bytes_number(read_bytes(&r, (size_t)(end - r.at)), 1000000, numbers[i]))
			return false;
		read_u8(&r);
	}
	*software = read_rest(&r);
	return software->len > 0;
}

static enum service_next accept_line(struct ssh *h, struct bytes line, size_t left, const char *mismatch,
                                     const char *differ, bool *got)
{
	uint64_t major, minor;
	struct bytes software;
	if (!parse(line, &major, &minor, &software))
		return refuse(h, line, left, mismatch);
	/* Scanners that say so are sent away without a word: compat.c. */
	if (bytes_start_with(software, "Probe-") ||
	    bytes_find(software, "SSH_Version_Mapper") < software.len)
		return refuse(h, line, left, NULL);
	if (major != 2 && !(major == 1 && minor == 99))
		return refuse(h, line, left, differ);
	h->version = arena_copy(session_arena(h->session), line);
	*got = h->version.at != NULL;
	return *got ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

static enum service_next take_openssh(struct ssh *h, struct reader *r, bool *got)
{
	static const char invalid[] = "Invalid SSH identification string.\r\n";
	bool after_return = false;
	size_t n = 0;
	const uint8_t *at = r->at;
	for (; at < r->end && *at != '\n'; at++) {
		if (*at == '\r') {
			after_return = true;
			continue;
		}
		if (*at == 0 || after_return || ++n > OPENSSH_LINE_MAX)
			return refuse(h, (struct bytes){r->at, (size_t)(at - r->at)}, (size_t)(r->end - at) - 1, invalid);
	}
	if (at == r->end)
		return SERVICE_CONTINUE;
	struct bytes line = {r->at, n};
	r->at = at + 1;
	return accept_line(h, line, reader_left(r), invalid, "Protocol major versions differ.\r\n", got);
}

static enum service_next take_old(struct ssh *h, struct reader *r, bool *got)
{
	size_t left = reader_left(r), most = left < OLD_LINE_MAX ? left : OLD_LINE_MAX;
	const uint8_t *end = memchr(r->at, '\n', most);
	if (!end && left < OLD_LINE_MAX)
		return SERVICE_CONTINUE;
	struct bytes line = read_bytes(r, end ? (size_t)(end - r->at) + 1 : most);
	const uint8_t *stop = memchr(line.at, '\r', line.len);
	line.len = stop ? (size_t)(stop - line.at) : line.len - (end != NULL);
	return accept_line(h, line, reader_left(r), "Protocol mismatch.\n", "Protocol major versions differ.\n", got);
}

static enum service_next take_dropbear(struct ssh *h, struct reader *r, bool *got)
{
	struct bytes line;
	size_t left = reader_left(r);
	const uint8_t *end = memchr(r->at, '\n', left < DROPBEAR_LINE_MAX ? left : DROPBEAR_LINE_MAX);
	if (!end && left < DROPBEAR_LINE_MAX)
		return SERVICE_CONTINUE;
	if (!end)
		return refuse(h, (struct bytes){r->at, DROPBEAR_LINE_MAX}, left - DROPBEAR_LINE_MAX, NULL);
	line = read_bytes(r, (size_t)(end - r->at) + 1);
	line.len--;
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	if (!bytes_start_with(line, "SSH-2.") && !bytes_start_with(line, "SSH-1.99-"))
		return refuse(h, line, reader_left(r), NULL);
	h->version = arena_copy(session_arena(h->session), line);
	*got = h->version.at != NULL;
	return *got ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

enum service_next ssh_version_take(struct ssh *h, struct reader *r, bool *got)
{
	*got = false;
	switch (h->software->family) {
	case SSH_OPENSSH:
		return take_openssh(h, r, got);
	case SSH_OPENSSH_OLD:
		return take_old(h, r, got);
	default:
		return take_dropbear(h, r, got);
	}
}
