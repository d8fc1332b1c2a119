/*
 * Mozi's configuration: fields in brackets, "[ss]bot[/ss][hp]88888888[/hp]", under XOR with 16 bytes that
 * repeat, in a block that is filled up with zeros.
 *
 * The key of all known samples was published (Netlab 360, 2019).  Should another come, the zeros give it away:
 * under XOR they are the key itself, over and over; so a stretch that repeats every 16 bytes is taken
 * for one, and believed when fields come out before it.
 */
#include "lab/analyser.h"

#define KEY_BYTES 16
#define CONFIG_MAX 1024
#define FIELD_MAX 512
#define REPEATS_MIN 3
#define CANDIDATES_MAX 256

static const uint8_t known_key[KEY_BYTES] = {0x4e, 0x66, 0x5a, 0x8f, 0x80, 0xc8, 0xac, 0x23,
					     0x8d, 0xac, 0x47, 0x06, 0xd5, 0x4f, 0x6f, 0x7e};

static const struct field {
	const char *name, *what;
} fields[] = {
	{"ss", "bot's role"}, {"ssx", "bot's role"}, {"cpu", "processor"}, {"cpux", "processor"}, {"hp", "prefix of its DHT id"},
	{"ver", "version"}, {"sv", "version of the configuration"}, {"nd", "nodes to begin at"}, {"dip", "where to download"},
	{"count", "where it reports itself"}, {"atk", "attack"}, {"dr", "what to download and run"}, {"ud", "update"},
	{"rn", "what to run"}, {"idp", "report to a node"}, {"ddosx", "attack"},
};

static bool letter(uint8_t c) { return c >= 'a' && c <= 'z'; }

/* Decoded text that begins "[name]": 0, or the length of the name. */
static size_t name_at(const uint8_t *text, size_t len)
{
	size_t n = 0;
	if (len < 4 || text[0] != '[')
		return 0;
	while (1 + n < len && n < 8 && letter(text[1 + n]))
		n++;
	return n >= 2 && 1 + n < len && text[1 + n] == ']' ? n : 0;
}

static void field_tell(struct analysis *a, struct bytes name, struct bytes value, size_t offset)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (!bytes_equal_text(name, fields[i].name))
			continue;
		analysis_fact(a, "mozi.config", "[%s] %.*s (%s)", fields[i].name, (int)value.len, (const char *)value.at, fields[i].what);
	}
	if (bytes_equal_text(name, "hp"))
		analysis_indicator(a, &(struct indicator){.type = INDICATOR_KEY, .value = value, .how = "mozi-config",
							  .confidence = 60, .offset = offset});
	analysis_text(a, value, offset, "mozi-config", 95);
}

/* Reads "[name]value[/name]" one after the other; how many there were. */
static size_t fields_read(struct analysis *a, struct bytes text, size_t offset, bool tell)
{
	size_t count = 0;
	for (size_t i = 0; i + 4 < text.len;) {
		size_t n = name_at(text.at + i, text.len - i);
		if (!n) {
			i++;
			continue;
		}
		char closing[16];
		struct bytes name = {text.at + i + 1, n}, rest = {text.at + i + n + 2, text.len - i - n - 2};
		snprintf(closing, sizeof closing, "[/%.*s]", (int)n, (const char *)name.at);
		size_t end = bytes_find(rest, closing);
		if (end == rest.len || end > FIELD_MAX) {
			i += n + 2;
			continue;
		}
		if (tell)
			field_tell(a, name, (struct bytes){rest.at, end}, offset + i + n + 2);
		count++;
		i += n + 2 + end + strlen(closing);
	}
	return count;
}

/* The block that begins there, with the key's first byte on its first byte. */
static bool block_try(struct analysis *a, struct bytes content, size_t at, const uint8_t key[KEY_BYTES])
{
	uint8_t text[CONFIG_MAX];
	size_t n = 0;
	for (; n < sizeof text && at + n < content.len; n++) {
		text[n] = content.at[at + n] ^ key[n % KEY_BYTES];
		if (!text[n] || text[n] >= 0x7f)
			break;
	}
	if (!fields_read(a, (struct bytes){text, n}, at, false))
		return false;
	char value[sizeof "xor " + 2 * KEY_BYTES];
	struct writer w = writer_of(value, sizeof value);
	write_text(&w, "xor ");
	for (size_t i = 0; i < KEY_BYTES; i++)
		write_fmt(&w, "%02x", key[i]);
	analysis_indicator(a, &(struct indicator){.type = INDICATOR_KEY, .value = writer_bytes(&w), .how = "mozi-config",
						  .confidence = 90, .offset = at});
	size_t count = fields_read(a, (struct bytes){text, n}, at, true);
	bool known = !memcmp(key, known_key, KEY_BYTES);
	analysis_family(a, "mozi", known ? 70 : 40, "a configuration of %zu fields under %s key of 16 bytes", count,
			known ? "its" : "another");
	return true;
}

/* Under the known key a block begins with '[' and two letters. */
static bool known_look(struct analysis *a, struct bytes b)
{
	bool any = false;
	for (size_t i = 0; i + 8 < b.len;) {
		const uint8_t *hit = memchr(b.at + i, '[' ^ known_key[0], b.len - i - 8);
		if (!hit)
			return any;
		i = (size_t)(hit - b.at);
		if (letter(b.at[i + 1] ^ known_key[1]) && letter(b.at[i + 2] ^ known_key[2]) && block_try(a, b, i, known_key)) {
			any = true;
			i += 16;
		}
		i++;
	}
	return any;
}

/*
 * A stretch that repeats every 16 bytes, from `at` to `end`.  Its phase is not known, since the block's
 * beginning is not: each of the 16 is tried, and each beginning before it where '[' would come out.
 */
static bool repeat_try(struct analysis *a, struct bytes b, size_t at)
{
	size_t lowest = at > CONFIG_MAX ? at - CONFIG_MAX : 0;
	for (size_t start = lowest; start < at; start++) {
		uint8_t key[KEY_BYTES];
		for (size_t i = 0; i < KEY_BYTES; i++) {
			size_t place = at + (i + KEY_BYTES - (at - start) % KEY_BYTES) % KEY_BYTES;
			key[i] = b.at[place];
		}
		if ((b.at[start] ^ key[0]) == '[' && letter(b.at[start + 1] ^ key[1]) && letter(b.at[start + 2] ^ key[2]) &&
		    block_try(a, b, start, key))
			return true;
	}
	return false;
}

static bool all_alike(const uint8_t *at)
{
	unsigned different = 0;
	bool seen[256] = {false};
	for (size_t i = 0; i < KEY_BYTES; i++)
		different += !seen[at[i]], seen[at[i]] = true;
	return different < 8;
}

static void repeats_look(struct analysis *a, struct bytes b)
{
	size_t tried = 0, alike = 0;
	for (size_t i = KEY_BYTES; i < b.len; i++) {
		alike = b.at[i] == b.at[i - KEY_BYTES] ? alike + 1 : 0;
		if (alike != KEY_BYTES * (REPEATS_MIN - 1))
			continue;
		size_t at = i + 1 - KEY_BYTES * REPEATS_MIN;
		if (at < 16 || all_alike(b.at + at))
			continue;
		if (tried++ == CANDIDATES_MAX || repeat_try(a, b, at))
			return;
	}
}

static void mozi_analyse(struct analysis *a, const struct part *part)
{
	if (!known_look(a, part->content))
		repeats_look(a, part->content);
}

static const char *const mozi_types[] = {"elf", "data", NULL};
static const struct analyser mozi = {
	.name = "mozi",
	.summary = "Mozi's configuration, also under a key that nobody has seen yet",
	.reference = "Netlab 360: \"Mozi, another botnet using DHT\", 2019",
	.phase = 2,
	.types = mozi_types,
	.analyse = mozi_analyse,
};
ANALYSER(mozi);
