#include "share/reading/hpfeeds_inner.h"
#include "base/log.h"
#include <openssl/evp.h>
#include <unistd.h>

#define CONNECT_MS 20000u
#define GREETING_MS 20000u
#define SEND_MS 20000u
#define HEADER_BYTES 5
#define PIECE_BYTES 65536

static struct bytes read_short(struct reader *r)
{
	size_t n = read_u8(r);
	return read_bytes(r, n);
}

int hpfeeds_read(struct reader *from, struct hpfeeds_frame *f)
{
	struct reader head = *from;
	uint32_t len = read_u32(&head);
	uint8_t code = read_u8(&head);
	if (!reader_ok(&head))
		return 0;
	if (len < HEADER_BYTES || len > HPFEEDS_FRAME_MAX || code > HPFEEDS_SUBSCRIBE)
		return ERR_BAD;
	if (reader_left(&head) < len - HEADER_BYTES)
		return 0;
	struct reader body = reader_of_bytes(read_bytes(&head, len - HEADER_BYTES));
	*f = (struct hpfeeds_frame){.code = code};
	if (code != HPFEEDS_ERROR)
		f->first = read_short(&body);
	if (code == HPFEEDS_PUBLISH)
		f->second = read_short(&body);
	f->rest = read_rest(&body);
	if (!reader_ok(&body))
		return ERR_BAD;
	*from = head;
	return 1;
}

static void write_short(struct writer *w, struct bytes text)
{
	w->bad |= text.len > HPFEEDS_TEXT_MAX;
	write_u8(w, (uint8_t)text.len);
	write_span(w, text);
}

void hpfeeds_write(struct writer *w, const struct hpfeeds_frame *f)
{
	const bool first = f->code != HPFEEDS_ERROR, second = f->code == HPFEEDS_PUBLISH;
	const size_t len = HEADER_BYTES + (first ? 1 + f->first.len : 0) + (second ? 1 + f->second.len : 0) + f->rest.len;
	w->bad |= len > HPFEEDS_FRAME_MAX;
	write_u32(w, (uint32_t)len);
	write_u8(w, (uint8_t)f->code);
	if (first)
		write_short(w, f->first);
	if (second)
		write_short(w, f->second);
	write_span(w, f->rest);
}

void hpfeeds_proof(struct bytes nonce, struct bytes secret, uint8_t out[20])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned len = 20;
	memset(out, 0, 20);
	if (c && EVP_DigestInit_ex(c, EVP_sha1(), NULL) && EVP_DigestUpdate(c, nonce.at, nonce.len) &&
	    EVP_DigestUpdate(c, secret.at, secret.len))
		EVP_DigestFinal_ex(c, out, &len);
	EVP_MD_CTX_free(c);
}

int hpfeeds_fill(struct client_call *call, int fd, struct buffer *in, unsigned wait_ms, struct fault *fault)
{
	uint8_t *room = buffer_room(in, PIECE_BYTES);
	if (!room)
		return fault_set(fault, ERR_FULL, "its message is longer than %u bytes", HPFEEDS_FRAME_MAX);
	ssize_t n = client_receive(call, fd, room, PIECE_BYTES, wait_ms, fault);
	if (n > 0)
		buffer_grown(in, (size_t)n);
	return n < 0 ? ERR_GONE : 0;
}

int hpfeeds_next(struct buffer *in, struct hpfeeds_frame *f, struct fault *fault)
{
	struct reader r = reader_of_bytes(buffer_bytes(in));
	const size_t before = reader_left(&r);
	char text[200];
	int got = hpfeeds_read(&r, f);
	if (got < 0)
		return fault_set(fault, ERR_BAD, "what it sends is no hpfeeds");
	if (got == 1)
		buffer_consume(in, before - reader_left(&r));
	if (got == 1 && f->code == HPFEEDS_ERROR)
		return fault_set(fault, ERR_DENIED, "the broker refuses: %s", log_quoted(f->rest, text, sizeof text));
	return got;
}

/* The broker speaks first. */
static int wait_for_greeting(struct client_call *call, int fd, struct buffer *in, struct hpfeeds_frame *hello, struct fault *fault)
{
	for (unsigned waited = 0; waited < GREETING_MS && !client_stopped(call); waited += 1000) {
		int bad = hpfeeds_fill(call, fd, in, 1000, fault);
		int got = bad ? bad : hpfeeds_next(in, hello, fault);
		if (got < 0)
			return got;
		if (got == 1)
			return hello->code == HPFEEDS_INFO ? 0 : fault_set(fault, ERR_BAD, "it does not greet as a broker does");
	}
	return fault_set(fault, ERR_TIMEOUT, "it does not greet; is it a broker of hpfeeds?");
}

static int show_key(struct client_call *call, int fd, struct buffer *in, struct fault *fault)
{
	uint8_t room[HEADER_BYTES + 1 + HPFEEDS_TEXT_MAX + 20], proof[20];
	struct writer w = writer_of(room, sizeof room);
	struct hpfeeds_frame hello;
	struct bytes ident, secret;
	if (!client_key_parts(call, &ident, &secret))
		return fault_set(fault, ERR_BAD, "key_file holds no IDENT:SECRET");
	int bad = wait_for_greeting(call, fd, in, &hello, fault);
	if (bad)
		return bad;
	hpfeeds_proof(hello.rest, secret, proof);
	hpfeeds_write(&w, &(struct hpfeeds_frame){.code = HPFEEDS_AUTH, .first = ident, .rest = {proof, sizeof proof}});
	return w.bad ? fault_set(fault, ERR_BAD, "the ident is longer than %d bytes", HPFEEDS_TEXT_MAX)
		     : client_send(call, fd, writer_bytes(&w), SEND_MS, fault);
}

int hpfeeds_open(struct client_call *call, struct buffer *in, struct fault *fault)
{
	int fd = client_connect(call, CONNECT_MS, fault);
	if (fd >= 0 && show_key(call, fd, in, fault)) {
		close(fd);
		return -1;
	}
	return fd;
}
