/*
 * Who gets in (RFC 4252, 4256): methods, refusals and their count as sshd and Dropbear have them.
 * A key that is offered is recorded by its fingerprint.
 */
#include "passive/services/ssh/auth_inner.h"
#include "passive/services/ssh/relay.h"

#define METHODS_MAX 128

FIELD(FIELD_SSH_KEY, "ssh.key", BYTES, 0, "algorithm and fingerprint of the key that was offered");

static const char *methods_of(const struct ssh *h)
{
	return h->device && h->device->methods ? h->device->methods : h->software->methods;
}

static bool has_method(const struct ssh *h, const char *name)
{
	return list_has(bytes_of_text(methods_of(h)), bytes_of_text(name));
}

enum service_next ssh_service_request(struct ssh *h, struct reader *r)
{
	uint8_t b[64];
	struct writer w = writer_of(b, sizeof b);
	struct bytes name = read_string(r);
	bool auth = bytes_equal_text(name, "ssh-userauth");
	if (!reader_ok(r) || (!auth && h->phase != SSH_AT_CONNECTION)) {
		char why[96];
		snprintf(why, sizeof why, "bad service request %.*s", (int)(name.len < 64 ? name.len : 64),
		         name.at ? (const char *)name.at : "");
		return ssh_disconnect(h, why);
	}
	write_u8(&w, SSH_SERVICE_ACCEPT);
	write_string(&w, name);
	ssh_send(h, writer_bytes(&w));
	if (h->phase == SSH_AT_SERVICE)
		h->phase = SSH_AT_AUTH;
	return SERVICE_CONTINUE;
}

static void send_failure(struct ssh *h)
{
	uint8_t b[METHODS_MAX + 8];
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, SSH_AUTH_FAILURE);
	write_string_text(&w, methods_of(h));
	write_u8(&w, 0);
	ssh_send(h, writer_bytes(&w));
}

/* The tries of this session are used up or one less; the last one is answered with the end. */
static enum service_next refuse(struct ssh *h)
{
	if (++h->tries >= h->software->tries_max)
		return ssh_disconnect(h, "Too many authentication failures");
	send_failure(h);
	return SERVICE_CONTINUE;
}

static enum service_next let_in(struct ssh *h)
{
	ssh_send(h, BYTES("\x34"));
	h->phase = SSH_AT_CONNECTION;
	if (!ssh_compress_out(h) || !ssh_compress_in(h))
		return SERVICE_CLOSE;
	ssh_connection_start(h);
	if (h->connection)
		ssh_relay_ask(h, BACKEND_LOGIN);
	return h->connection ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

enum service_next ssh_auth_tick(struct ssh *h)
{
	h->waiting = SSH_WAITS_NOT;
	return refuse(h);
}

static enum service_next decide(struct ssh *h, struct bytes secret)
{
	if (session_login(h->session, bytes_of_text(h->user), secret))
		return let_in(h);
	uint32_t least = h->software->refusal_ms_min, more = h->software->refusal_ms_max - least;
	h->waiting = SSH_WAITS_REFUSAL;
	session_delay(h->session, least + (uint32_t)(session_random(h->session) % (more + 1)));
	return SERVICE_CONTINUE;
}

static enum service_next take_password(struct ssh *h, struct reader *r)
{
	bool change = read_flag(r);
	struct bytes secret = read_string(r);
	if (change)
		read_string(r);
	if (!reader_ok(r) || reader_left(r))
		return SERVICE_CLOSE;
	return decide(h, secret);
}

static enum service_next ask(struct ssh *h)
{
	uint8_t b[64];
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, SSH_AUTH_INFO_REQUEST);
	for (size_t i = 0; i < 3; i++) /* name, instruction, language */
		write_string_text(&w, "");
	write_u32(&w, 1);
	write_string_text(&w, "Password: ");
	write_u8(&w, 0);
	ssh_send(h, writer_bytes(&w));
	h->asked = true;
	return SERVICE_CONTINUE;
}

enum service_next ssh_auth_response(struct ssh *h, struct reader *r)
{
	uint32_t count = read_u32(r);
	struct bytes secret = count ? read_string(r) : (struct bytes){0};
	if (!h->asked) {
		ssh_unimplemented(h);
		return SERVICE_CONTINUE;
	}
	h->asked = false;
	if (!reader_ok(r))
		return SERVICE_CLOSE;
	return count == 1 ? decide(h, secret) : refuse(h);
}

static void tell_key(struct ssh *h, struct bytes algorithm, struct bytes blob, bool accepted)
{
	char text[192];
	struct writer w = writer_of(text, sizeof text);
	write_bytes(&w, algorithm.at, algorithm.len < 64 ? algorithm.len : 64);
	write_text(&w, " SHA256:");
	ssh_write_fingerprint(blob, &w);
	struct event *e = session_report(h->session, EVENT_LOGIN_TRIED);
	event_set_bytes(e, FIELD_LOGIN_USER, bytes_of_text(h->user));
	event_set_bool(e, FIELD_LOGIN_ACCEPTED, accepted);
	event_set_bytes(e, FIELD_SSH_KEY, writer_bytes(&w));
}

/* `hostbound`: OpenSSH's variant, which also names the server's key. */
static enum service_next take_key(struct ssh *h, struct bytes whole, struct reader *r, bool hostbound)
{
	bool is_signed = read_flag(r);
	struct bytes algorithm = read_string(r), blob = read_string(r);
	if (hostbound)
		read_string(r);
	size_t before = whole.len - reader_left(r); /* the signature is over what lies before it */
	struct bytes signature = is_signed ? read_string(r) : (struct bytes){0};
	uint8_t b[SSH_KEY_OFFERED_MAX + 128];
	struct writer w = writer_of(b, sizeof b);
	if (!reader_ok(r) || blob.len > SSH_KEY_OFFERED_MAX || algorithm.len > 64)
		return SERVICE_CLOSE;
	bool wanted = h->device && h->device->accepts_keys && ssh_key_usable(algorithm, blob);
	if (wanted && !is_signed) {
		write_u8(&w, SSH_AUTH_INFO_REQUEST); /* PK_OK has its number */
		write_string(&w, algorithm);
		write_string(&w, blob);
		ssh_send(h, writer_bytes(&w));
		return SERVICE_CONTINUE;
	}
	bool good = wanted && ssh_key_verify((struct bytes){h->id, h->id_len},
	                                     (struct bytes){whole.at, before}, blob, signature);
	tell_key(h, algorithm, blob, good);
	return good ? let_in(h) : refuse(h);
}

static void send_notice(struct ssh *h)
{
	char text[1024];
	uint8_t b[1100];
	struct writer w = writer_of(b, sizeof b);
	session_expand(h->session, h->device->notice, text, sizeof text);
	write_u8(&w, SSH_AUTH_BANNER);
	write_string_text(&w, text);
	write_string_text(&w, "");
	ssh_send(h, writer_bytes(&w));
}

/* A session is for one user: another name is the end of it. */
static bool is_same_user(struct ssh *h, struct bytes user)
{
	if (h->attempts == 0)
		return bytes_copy_text(user, h->user, sizeof h->user);
	return bytes_equal_text(user, h->user);
}

enum service_next ssh_auth_request(struct ssh *h, struct reader *r)
{
	struct bytes whole = {r->at - 1, reader_left(r) + 1};
	struct bytes user = read_string(r), service = read_string(r), method = read_string(r);
	if (!reader_ok(r) || !bytes_equal_text(service, "ssh-connection"))
		return SERVICE_CLOSE;
	if (!is_same_user(h, user))
		return ssh_disconnect(h, "Change of username or service not allowed");
	h->asked = false;
	if (h->attempts == 0 && h->device && h->device->notice)
		send_notice(h);
	bool first = h->attempts == 0;
	h->attempts = (uint8_t)(h->attempts < 255 ? h->attempts + 1 : 255);
	if (bytes_equal_text(method, "password") && has_method(h, "password"))
		return take_password(h, r);
	if (bytes_equal_text(method, "keyboard-interactive") && has_method(h, "keyboard-interactive"))
		return ask(h);
	if (bytes_equal_text(method, "publickey") && has_method(h, "publickey"))
		return take_key(h, whole, r, false);
	if (bytes_equal_text(method, "publickey-hostbound-v00@openssh.com") && h->software->hostbound)
		return take_key(h, whole, r, true);
	/* To ask what there is costs nothing the first time. */
	if (first && bytes_equal_text(method, "none")) {
		send_failure(h);
		return SERVICE_CONTINUE;
	}
	return refuse(h);
}
