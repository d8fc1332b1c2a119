/*
 * Text hidden under one byte, whichever of the 255 it is.
 *
 * Decoding the file 255 times would cost 255 readings.  Two properties of XOR save them:
 *  - The XOR of two neighbours does not depend on the key.  So the words that bots hide are sought by
 *    their differences, all keys at once, and the key is what remains where one is found.
 *  - Letters, digits, '.', '-' and ':' all have bit 5 set and bit 7 clear.  So under any key a host's name or
 *    address is a run of bytes that agree in these two bits, and of random bytes few do so for long;
 *    within such a run each byte is taken for the dot once, which gives its key.
 * A host alone may be chance (libc's own strings give some); words under the same key make it sure.
 */
#include "lab/analyser.h"
#include "event/hosts.h"
#include "lab/xor_inner.h"

#define HOST_MIN 7
#define DOT_PLACES_MAX 4096 /* of one byte within a run */
#define WORDS_SURE 3
#define STRINGS_TOLD_MAX 64
#define CONFIDENCE_HOST 60
#define CONFIDENCE_WORD 75

static const char *const words[] = {
	"/proc/", "/bin/busybox", "/dev/watchdog", "/dev/misc/watchdog", "http://", "https://", "User-Agent", "GET /",
	"POST /", "Mozilla/", "enable", "shell", "system", "ncorrect", "assword", "ogin: ", "busybox", "applet not found",
	"/etc/", "wget ", "chmod ", "TSource Engine", "HTTP/1.", "Host: ", "dvrHelper", "/maps", "/status", "/exe/",
	"listening tun0", "/fd/", "/cmdline", "/dev/null", "/tmp/", "/var/", "xc3511", "vizxv", "/bin/sh", "killall",
	"REPORT %s:%s", "abcdefghijklmnopqrstuvw012345678", "echo ", "crontab", "LoadLibrary", "kernel32.dll", "cmd.exe",
	"This program cannot be run", "ws2_32.dll", "CreateProcess", "PRIVMSG", "stratum+tcp",
};
#define WORDS (sizeof words / sizeof *words)

struct sweep {
	struct analysis *analysis;
	struct bytes content;
	uint64_t seen[256]; /* of the words, a bit each, by key */
	unsigned told;
};

static unsigned bits(uint64_t v) { return (unsigned)__builtin_popcountll(v); }

/* Words of which the file shows the differences: b[i] ^ b[i + 1] is the same under every key. */
static void words_sweep(struct sweep *s)
{
	uint8_t heads[8192] = {0}, lengths[WORDS];
	struct bytes b = s->content;
	uint32_t here, next;
	for (size_t i = 0; i < WORDS; i++) {
		memcpy(&here, words[i], 4);
		memcpy(&next, words[i] + 1, 4);
		uint32_t slot = (here ^ next) * 2654435761u >> 16;
		heads[slot >> 3] |= (uint8_t)(1u << (slot & 7));
		lengths[i] = (uint8_t)strlen(words[i]);
	}
	for (size_t i = 0; i + 5 <= b.len; i++) {
		memcpy(&here, b.at + i, 4);
		memcpy(&next, b.at + i + 1, 4);
		uint32_t slot = (here ^ next) * 2654435761u >> 16;
		if (!(heads[slot >> 3] >> (slot & 7) & 1))
			continue;
		for (size_t k = 0; k < WORDS; k++) {
			uint8_t key = b.at[i] ^ (uint8_t)words[k][0];
			/* 0x20 makes small letters of capitals: plain text. */
			if (lengths[k] < 5 || lengths[k] > b.len - i || !key || key == 0x20)
				continue;
			size_t n = 0;
			while (n < lengths[k] && (b.at[i + n] ^ key) == (uint8_t)words[k][n])
				n++;
			if (n == lengths[k])
				s->seen[key] |= 1ull << k;
		}
	}
}

static void string_tell(struct sweep *s, size_t at, uint8_t key, unsigned confidence)
{
	struct xor_string string;
	char how[16];
	xor_string_read(s->content, at, key, &string);
	snprintf(how, sizeof how, "xor 0x%02x", key);
	analysis_text(s->analysis, (struct bytes){string.text, string.len}, string.start, how, confidence);
}

/* Under a key that is sure, every string with a word in it is read. */
static void key_tell(struct sweep *s, uint8_t key)
{
	struct bytes b = s->content;
	char value[16];
	unsigned count = bits(s->seen[key]), confidence = 40 + 10 * count;
	snprintf(value, sizeof value, "xor 0x%02x", key);
	analysis_indicator(s->analysis, &(struct indicator){
		.type = INDICATOR_KEY, .value = bytes_of_text(value), .how = value, .offset = UINT64_MAX,
		.confidence = confidence > 95 ? 95 : confidence});
	analysis_fact(s->analysis, "xor.key", "0x%02x, %u known words", key, count);
	for (size_t k = 0; k < WORDS; k++) {
		uint8_t hidden[64];
		size_t n = strlen(words[k]), from = 0;
		if (!(s->seen[key] >> k & 1))
			continue;
		for (size_t i = 0; i < n; i++)
			hidden[i] = (uint8_t)words[k][i] ^ key;
		for (const uint8_t *at; (at = memmem(b.at + from, b.len - from, hidden, n)); from = (size_t)(at - b.at) + n) {
			struct xor_string string;
			xor_string_read(b, (size_t)(at - b.at), key, &string);
			string_tell(s, (size_t)(at - b.at), key, CONFIDENCE_WORD);
			if (s->told++ < STRINGS_TOLD_MAX)
				analysis_fact(s->analysis, "xor.string", "0x%02x %.*s", key, (int)string.len, (const char *)string.text);
		}
	}
	mirai_table_look(s->analysis, b, key);
}

static bool name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/*
 * How sure a host under a key is.  Names of two letters at the end come up by chance in large files, and
 * plain words become such names under small keys; addresses hardly ever do.
 */
static unsigned host_confidence(const struct sweep *s, struct bytes host, size_t start, size_t end, uint8_t key)
{
	struct bytes b = s->content;
	uint8_t after = end < b.len ? b.at[end] : 0, before = start ? b.at[start - 1] : 0;
	bool hidden_zero = after == key && (end + 1 == b.len || !b.at[end + 1]);
	bool ends = after == 0 || after == key, begins = before == 0 || before == key || !xor_printable(before ^ key);
	bool goes_on = (after ^ key) == ':' || (after ^ key) == '/', plain = true;
	if (!ends && !goes_on)
		return 0;
	if (__builtin_popcountll(s->seen[key]) >= 2)
		return CONFIDENCE_WORD + 10;
	for (size_t i = start; i < end && plain; i++)
		plain = xor_printable(b.at[i]);
	if (plain && !hidden_zero)
		return 0;
	bool short_end = host.len > 3 && host.at[host.len - 3] == '.' && !address_plausible(host);
	if (hidden_zero || (begins && !short_end))
		return CONFIDENCE_HOST;
	return short_end ? 0 : CONFIDENCE_HOST / 3;
}

/* One byte as the dot of a host, at that place; returns where the host ends. */
static size_t host_try(struct sweep *s, size_t from, size_t to, size_t dot, uint8_t key)
{
	const uint8_t *b = s->content.at;
	uint8_t name[HOST_NAME_MAX_BYTES];
	size_t start = dot, end = dot + 1, n = 0;
	if (dot == from || end == to || !name_byte(b[dot - 1] ^ key) || !name_byte(b[end] ^ key) || b[end] == b[dot])
		return end;
	while (start > from && dot - start < sizeof name && name_byte(b[start - 1] ^ key))
		start--;
	while (end < to && end - start < sizeof name && name_byte(b[end] ^ key))
		end++;
	for (size_t i = start; i < end && n < sizeof name; i++)
		name[n++] = b[i] ^ key;
	struct bytes host = {name, n};
	if (n < HOST_MIN)
		return end;
	unsigned plausible = address_plausible(host);
	if (!plausible)
		plausible = name_plausible(host);
	unsigned confidence = plausible >= 50 ? host_confidence(s, host, start, end, key) : 0;
	if (confidence)
		string_tell(s, dot, key, confidence);
	return end;
}

static void run_try(struct sweep *s, size_t from, size_t to)
{
	bool seen[256] = {false};
	const uint8_t *b = s->content.at;
	for (size_t i = from; i < to; i++)
		seen[b[i]] = true;
	for (unsigned v = 0; v < 256; v++) {
		uint8_t key = (uint8_t)v ^ '.';
		size_t at = from, places = 0;
		if (!seen[v] || !key)
			continue;
		for (const uint8_t *hit; at < to && places < DOT_PLACES_MAX && (hit = memchr(b + at, (int)v, to - at)); places++)
			at = host_try(s, from, to, (size_t)(hit - b), key);
	}
}

static void hosts_sweep(struct sweep *s)
{
	struct bytes b = s->content;
	for (size_t i = 0; i < b.len;) {
		size_t end = i + 1;
		while (end < b.len && !((b.at[end] ^ b.at[end - 1]) & 0xa0))
			end++;
		/* All the same byte is padding. */
		if (end - i >= HOST_MIN && memcmp(b.at + i, b.at + i + 1, end - i - 1))
			run_try(s, i, end);
		i = end;
	}
}

static void xor_analyse(struct analysis *a, const struct part *part)
{
	struct sweep s = {.analysis = a, .content = part->content};
	words_sweep(&s);
	hosts_sweep(&s);
	for (unsigned key = 1; key < 256; key++)
		if (bits(s.seen[key]) >= WORDS_SURE)
			key_tell(&s, (uint8_t)key);
}

static const char *const xor_types[] = {"elf", "pe", "dos", "macho", "data", "dex", "ole", "pdf", "rtf", "lnk", NULL};
#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen specimens[] = {
	/* As Mirai's table lies in a program: strings with a hidden and a plain zero, ports of two bytes. */
	{"a table under key 0x22",
	 SPECIMEN("\x01\x02\x03\0"
		  "\x41\x4c\x41\x0c\x47\x5a\x43\x4f\x52\x4e\x47\x0c\x4c\x47\x56\x22\0\x22\x35\0"
		  "\x50\x47\x52\x0d\x50\x47\x52\x4d\x50\x56\x0c\x47\x5a\x43\x4f\x52\x4e\x47\x22\0"
		  "\x0d\x52\x50\x4d\x41\x0d\x22\0\x0d\x47\x5a\x47\x22\0\x0d\x4f\x43\x52\x51\x22\0"
		  "\x0d\x40\x4b\x4c\x0d\x40\x57\x51\x5b\x40\x4d\x5a\x22\0\x47\x4c\x43\x40\x4e\x47\x22\0\x51\x4a\x47\x4e\x4e\x22\0"),
	 "indicator domain cnc.example.net xor 0x22\nindicator endpoint cnc.example.net:23 mirai-table\n"
	 "indicator key xor 0x22 xor 0x22\nfamily mirai"},
	{"an address under another key, alone",
	 SPECIMEN("\x90\x80\0\x94\x9c\x9d\x8b\x90\x94\x8b\x94\x95\x95\x8b\x92\0\x03"),
	 "indicator address 198.51.100.7 xor 0xa5"},
	{0},
};

static const struct analyser xor_sweep = {
	.name = "xor",
	.summary = "strings hidden under one byte, all 255 keys; tables of Mirai and its kin",
	.reference = "Mirai's table.c, as published in 2016",
	.phase = 2,
	.types = xor_types,
	.analyse = xor_analyse,
	.specimens = specimens,
};
ANALYSER(xor_sweep);
