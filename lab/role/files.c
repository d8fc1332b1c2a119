#include "lab/role/files_inner.h"
#include "base/error.h"
#include "store/store.h"
#include <openssl/evp.h>

#define RETRY_MS 1000
#define TRIES_MAX 60

static void ask(struct file_transfer *t);

bool digest_read(const char *hex, uint8_t digest[FILE_DIGEST])
{
	for (size_t i = 0; i < FILE_DIGEST; i++) {
		unsigned byte = 0;
		for (size_t k = 0; k < 2; k++) {
			char c = hex[2 * i + k];
			if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
				return false;
			byte = byte << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		digest[i] = (uint8_t)byte;
	}
	return hex[FILE_HEX] == '\0';
}

void digest_of(struct bytes b, char hex[FILE_HEX + 1])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	EVP_Digest(b.at, b.len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < FILE_DIGEST; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void finish(struct file_transfer *t, int status)
{
	t->busy = false;
	t->done(t->arg, status, t->putting ? t->given : buffer_bytes(&t->content));
}

static void on_retry(uv_timer_t *timer) { ask(timer->data); }

static void failed(struct file_transfer *t, int status)
{
	if (status != ERR_GONE || ++t->tries >= TRIES_MAX) {
		finish(t, status);
		return;
	}
	t->offset = 0;
	buffer_consume(&t->content, buffer_len(&t->content));
	uv_timer_start(&t->retry, on_retry, RETRY_MS, 0);
}

/* total u64, then bytes from the offset on */
static void take_part(struct file_transfer *t, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint64_t total = read_u64(&r);
	struct bytes part = read_rest(&r);
	if (!reader_ok(&r) || total > t->content.max || (total > t->offset && !part.len)) {
		failed(t, !reader_ok(&r) ? ERR_BAD : total > t->content.max ? ERR_FULL : ERR_BAD);
		return;
	}
	if (buffer_append(&t->content, part.at, part.len)) {
		failed(t, ERR_FULL);
		return;
	}
	t->offset += part.len;
	if (t->offset >= total)
		finish(t, 0);
	else
		ask(t);
}

static void take_progress(struct file_transfer *t, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint64_t there = read_u64(&r);
	if (!reader_ok(&r) || there > t->given.len || (there <= t->offset && t->given.len)) {
		failed(t, ERR_BAD);
		return;
	}
	t->offset = there;
	if (there == t->given.len)
		finish(t, 0);
	else
		ask(t);
}

static void answered(void *arg, int status, struct bytes payload, bool more)
{
	struct file_transfer *t = arg;
	if (more || t->stopped)
		return;
	if (status)
		failed(t, status);
	else if (t->putting)
		take_progress(t, payload);
	else
		take_part(t, payload);
}

static void ask(struct file_transfer *t)
{
	uint8_t room[BLOB_PART_MAX + 64];
	struct writer w = writer_of(room, sizeof room);
	if (t->putting) {
		size_t left = t->given.len - t->offset;
		struct blob_part part = {.offset = t->offset, .total = t->given.len,
					 .bytes = {t->given.at + t->offset, left < BLOB_PART_MAX ? left : BLOB_PART_MAX}};
		memcpy(part.sha256, t->digest, sizeof part.sha256);
		blob_part_write(&w, &part);
	} else {
		write_bytes(&w, t->digest, sizeof t->digest);
		write_u64(&w, t->offset);
	}
	if (bus_request(t->bus, "journal", t->putting ? TOPIC_BLOB_PUT : TOPIC_BLOB_GET, writer_bytes(&w), answered, t))
		failed(t, ERR_GONE);
}

void file_transfer_open(struct file_transfer *t, struct bus *bus, uv_loop_t *loop)
{
	*t = (struct file_transfer){.bus = bus};
	uv_timer_init(loop, &t->retry);
	t->retry.data = t;
}

void file_transfer_stop(struct file_transfer *t)
{
	t->stopped = true;
	uv_timer_stop(&t->retry);
	buffer_done(&t->content);
}

static void begin(struct file_transfer *t, const char *sha256, file_done_f *done, void *arg)
{
	buffer_consume(&t->content, buffer_len(&t->content));
	t->offset = 0;
	t->tries = 0;
	t->busy = true;
	t->done = done;
	t->arg = arg;
	if (digest_read(sha256, t->digest))
		ask(t);
	else
		finish(t, ERR_BAD);
}

void file_fetch(struct file_transfer *t, const char *sha256, size_t max, file_done_f *done, void *arg)
{
	buffer_done(&t->content);
	t->content = BUFFER(max);
	t->putting = false;
	begin(t, sha256, done, arg);
}

void file_put(struct file_transfer *t, const char *sha256, struct bytes content, file_done_f *done, void *arg)
{
	t->given = content;
	t->putting = true;
	begin(t, sha256, done, arg);
}
