/*
 * A table as Mirai's table.c makes it and hundreds of variants keep it: strings hidden under one byte,
 * each with its hidden zero, then the plain zero that the compiler adds; ports as two bytes in network
 * order.  The first host is where it takes orders, the second where it reports; each is followed by its
 * port.  Passwords of its scanner are hidden the same way, without a hidden zero.
 */
#include "event/hosts.h"
#include "lab/xor_inner.h"

#define ENTRIES_TOLD_MAX 128
#define PASSWORDS_MAX 128
#define PASSWORD_BYTES_MAX 24
#define PADDING_MAX 7 /* strings begin at multiples of 4 or 8 on some processors */

struct table {
	struct analysis *analysis;
	struct bytes content;
	uint8_t key;
	unsigned entries, hosts, mirai_words;
};

/* After the zeros that end a string: two bytes and a zero, under the key a port. */
static unsigned port_after(const struct table *t, size_t at)
{
	struct bytes b = t->content;
	size_t end = at + PADDING_MAX;
	while (at < b.len && at < end && b.at[at] == 0)
		at++;
	if (at + 3 > b.len || b.at[at + 2] != 0)
		return 0;
	return (unsigned)(b.at[at] ^ t->key) << 8 | (unsigned)(b.at[at + 1] ^ t->key);
}

static void host_tell(struct table *t, struct bytes host, size_t offset, unsigned port)
{
	enum indicator_role role = t->hosts == 0 ? FOR_COMMAND : t->hosts == 1 ? FOR_REPORT : FOR_UNKNOWN;
	uint8_t room[HOST_NAME_MAX_BYTES + 8];
	struct writer w = writer_of(room, sizeof room);
	bool address = address_plausible(host) > 0;
	write_span(&w, host);
	if (host_is_bystander(host))
		role = FOR_CHECK;
	struct indicator it = {.type = address ? INDICATOR_ADDRESS : INDICATOR_DOMAIN, .role = role, .value = host,
			       .how = "mirai-table", .confidence = 90, .offset = offset};
	analysis_indicator(t->analysis, &it);
	write_fmt(&w, ":%u", port);
	if (port && !w.bad) {
		it.type = INDICATOR_ENDPOINT;
		it.value = writer_bytes(&w);
		analysis_indicator(t->analysis, &it);
	}
	t->hosts++;
}

static void entry_look(struct table *t, size_t start, size_t end)
{
	static const char *const own[] = {"listening tun0", "/bin/busybox ", "TSource Engine Query", "/dev/watchdog",
					  "/dev/misc/watchdog", "ncorrect", "dvrHelper", "enable", "shell", "system", "/proc/", "/exe",
					  "/maps", "REPORT %s:%s"};
	uint8_t text[XOR_STRING_MAX];
	size_t n = end - start;
	for (size_t i = 0; i < n; i++)
		text[i] = t->content.at[start + i] ^ t->key;
	struct bytes entry = {text, n};
	if (t->entries++ < ENTRIES_TOLD_MAX)
		analysis_fact(t->analysis, "mirai.table", "%.*s", (int)n, (const char *)text);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		t->mirai_words += bytes_start_with(entry, own[i]);
	if (address_plausible(entry) || name_plausible(entry) >= 30)
		host_tell(t, entry, start, port_after(t, end + 1));
	else
		analysis_text(t->analysis, entry, start, "mirai-table", 85);
}

/* Entries end in the hidden zero, which is the key itself, and a plain one. */
static void entries_look(struct table *t)
{
	struct bytes b = t->content;
	for (size_t i = 0; i + 1 < b.len; i++) {
		const uint8_t *hit = memchr(b.at + i, t->key, b.len - 1 - i);
		if (!hit)
			return;
		i = (size_t)(hit - b.at);
		if (b.at[i + 1] != 0)
			continue;
		size_t start = i;
		while (start && i - start < XOR_STRING_MAX - 1 && b.at[start - 1] && xor_printable(b.at[start - 1] ^ t->key))
			start--;
		/*
		 * What no zero precedes is the first of its section, right behind code of which a byte may pass for a
		 * letter; sections of constants begin at multiples of 4.
		 */
		if (start % 4 && b.at[start - 1] && (start | 3) + 4 < i)
			start = (start | 3) + 1;
		if (i - start >= 3)
			entry_look(t, start, i);
	}
}

static bool in_list(struct bytes word, const char *const *list)
{
	for (; *list; list++)
		if (bytes_equal_text(word, *list))
			return true;
	return false;
}

struct password {
	uint8_t text[PASSWORD_BYTES_MAX];
	size_t len, offset;
};

static size_t passwords_read(const struct table *t, struct password *out)
{
	struct bytes b = t->content;
	size_t count = 0;
	for (size_t i = 1; i < b.len && count < PASSWORDS_MAX; i++) {
		size_t end = i, n = 0;
		if (b.at[i - 1])
			continue;
		while (end < b.len && n < PASSWORD_BYTES_MAX && b.at[end]) {
			uint8_t c = b.at[end] ^ t->key;
			if (c <= 0x20 || c >= 0x7f)
				break;
			out[count].text[n++] = c;
			end++;
		}
		if (n < 3 || end == b.len || b.at[end])
			continue;
		out[count].len = n;
		out[count++].offset = i;
	}
	return count;
}

/* Words that only a list of default passwords holds tell where it lies; neighbours are pairs. */
static void passwords_look(struct table *t)
{
	static const char *const known[] = {"xc3511", "vizxv", "xmhdipc", "juantech", "888888", "klv1234", "Zte521", "hi3518", "jvbzd",
					    "7ujMko0vizxv", "7ujMko0admin", "anko", "zlxx.", "ikwb", "dreambox", "realtek",
					    "oelinux123", "antslq", "hunt5759", "GM8182", "taZz@23495859", "cat1029", "Win1doW$",
					    "tsgoingon", "solokey", "123456", "54321", "default", "admin1234", "smcadmin", "password", NULL};
	static const char *const users[] = {"root", "admin", "guest", "support", "user", "supervisor", "administrator", "service",
					    "default", "tech", "ubnt", "mother", "telnetadmin", "daemon", "Administrator", NULL};
	struct arena *arena = analysis_arena(t->analysis);
	struct password *found = arena_alloc(arena, sizeof *found * (PASSWORDS_MAX + 1));
	size_t count = found ? passwords_read(t, found) : 0, sure = 0;
	for (size_t i = 0; i < count; i++)
		sure += in_list((struct bytes){found[i].text, found[i].len}, known);
	if (sure < 3)
		return;
	analysis_fact(t->analysis, "mirai.passwords", "%zu hidden words, %zu of them common passwords", count, sure);
	analysis_family(t->analysis, "mirai", 30, "a list of default passwords under key 0x%02x", t->key);
	for (size_t i = 0; i + 1 < count; i++) {
		struct bytes user = {found[i].text, found[i].len}, secret = {found[i + 1].text, found[i + 1].len};
		uint8_t room[2 * PASSWORD_BYTES_MAX + 1];
		struct writer w = writer_of(room, sizeof room);
		if (!in_list(user, users))
			continue;
		write_span(&w, user);
		write_u8(&w, ':');
		write_span(&w, secret);
		/* The linker keeps equal strings once, so a neighbour need not be the partner. */
		analysis_indicator(t->analysis, &(struct indicator){
			.type = INDICATOR_CREDENTIAL, .value = writer_bytes(&w), .how = "mirai-table", .confidence = 50,
			.offset = found[i].offset});
	}
}

void mirai_table_look(struct analysis *a, struct bytes content, uint8_t key)
{
	struct table t = {.analysis = a, .content = content, .key = key};
	entries_look(&t);
	passwords_look(&t);
	if (t.mirai_words >= 3)
		analysis_family(a, "mirai", 40, "a table of strings under key 0x%02x with %u of its words", key, t.mirai_words);
}
