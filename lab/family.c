/*
 * Families by what a sample does and names, added to what static analysis made of its bytes.
 *
 * Each sign is weak alone: points add up over signs, and a family needs several of them before a
 * report names it.  The signs are those that public analyses of leaked sources name: Mirai's
 * (loader, scanner, single instance on port 48101, four zero-byte hello), Gafgyt's (texts on a
 * plain TCP line), Kaiten's (IRC), Mozi's (BitTorrent's DHT), XMRig's (stratum JSON), and those of
 * kinds of programs rather than families: dropper, miner, ransomware.
 */
#include "lab/story_inner.h"
#include <stdlib.h>

#define STORY_FAMILIES_MAX 32
#define REASON_MAX 1024

enum place { IN_SUBJECT, IN_WHAT, IN_HELLO, IN_INDICATOR, IN_OUTPUT };

struct sign {
	const char *family;
	unsigned points;
	enum place where;
	unsigned kind;            /* enum behaviour_kind; of IN_INDICATOR enum indicator_type */
	const char *is;           /* part of the text, without regard to case; "" holds for any */
	uint64_t count_min;
	const char *reason;
};

static const struct sign signs[] = {
	{"mirai", 30, IN_HELLO, 0, "\x01", 0, "its first bytes to the server are 00 00 00 01"},
	{"mirai", 20, IN_SUBJECT, DID_LISTEN, ":48101", 0, "it holds port 48101, so that it runs once"},
	{"mirai", 20, IN_SUBJECT, DID_SCAN, "23", 16, "it looks for telnet at many addresses"},
	{"mirai", 10, IN_SUBJECT, DID_KILL, "", 0, "it ends other processes"},
	{"mirai", 10, IN_SUBJECT, DID_HIDE, "watchdog", 0, "it holds the watchdog off"},
	{"gafgyt", 25, IN_HELLO, 0, "BUILD ", 0, "it greets its server with BUILD"},
	{"gafgyt", 20, IN_HELLO, 0, "arch", 0, "it tells its server the architecture in words"},
	{"gafgyt", 15, IN_SUBJECT, DID_SCAN, "23", 16, "it looks for telnet at many addresses"},
	{"gafgyt", 15, IN_OUTPUT, 0, "PING", 0, "it says PING on a plain line"},
	{"kaiten", 35, IN_HELLO, 0, "NICK ", 0, "it takes a name on IRC"},
	{"kaiten", 15, IN_HELLO, 0, "USER ", 0, "it names a user on IRC"},
	{"mozi", 35, IN_SUBJECT, DID_REQUEST, "d1:ad2:id20:", 0, "it asks BitTorrent's DHT"},
	{"mozi", 25, IN_SUBJECT, DID_RESOLVE, "dht.transmissionbt.com", 0, "it enters DHT where BitTorrent clients do"},
	{"mozi", 25, IN_SUBJECT, DID_RESOLVE, "router.bittorrent.com", 0, "it enters DHT where BitTorrent clients do"},
	{"miner", 50, IN_HELLO, 0, "mining.", 0, "it speaks stratum with a pool"},
	{"miner", 50, IN_HELLO, 0, "\"login\"", 0, "it logs in to a pool with JSON"},
	{"miner", 30, IN_INDICATOR, INDICATOR_URL, "stratum+", 0, "it names a pool by a stratum URL"},
	{"miner", 20, IN_SUBJECT, DID_PROCESS, "xmrig", 0, "it starts a program named xmrig"},
	{"miner", 15, IN_INDICATOR, INDICATOR_WALLET, "", 0, "it names a wallet"},
	{"ransomware", 50, IN_WHAT, DID_FILE, "encrypted", 3, "it put encrypted files in place of others"},
	{"ransomware", 30, IN_SUBJECT, DID_FILE, "readme_for_decrypt", 0, "it left a note about decryption"},
	{"ransomware", 25, IN_SUBJECT, DID_FILE, ".locked", 3, "files got the ending .locked"},
	{"ransomware", 25, IN_SUBJECT, DID_FILE, "ransom", 0, "it left a note that names a ransom"},
	{"dropper", 25, IN_SUBJECT, DID_PROCESS, "wget ", 0, "it fetches programs with wget"},
	{"dropper", 25, IN_SUBJECT, DID_PROCESS, "curl ", 0, "it fetches programs with curl"},
	{"dropper", 20, IN_SUBJECT, DID_PROCESS, "tftp ", 0, "it fetches programs with tftp"},
	{"dropper", 20, IN_SUBJECT, DID_PROCESS, "chmod ", 0, "it makes what it fetched executable"},
	{"xorddos", 30, IN_SUBJECT, DID_PERSIST, "cron.hourly/gcc.sh", 0, "it starts from cron.hourly/gcc.sh"},
	{"xorddos", 30, IN_SUBJECT, DID_FILE, "/lib/libudev.so", 0, "it copies itself to /lib/libudev.so"},
	{"flooder", 45, IN_SUBJECT, DID_FLOOD, "", 0, "it flooded an address"},
};

struct guesses {
	struct arena *arena;
	struct family items[STORY_FAMILIES_MAX];
	size_t count;
};

static void add_reason(struct guesses *g, const char *name, unsigned points, const char *reason)
{
	char text[REASON_MAX];
	struct family *f = NULL;
	for (size_t i = 0; !f && i < g->count; i++)
		if (!strcmp(g->items[i].name, name))
			f = &g->items[i];
	if (!f && g->count == STORY_FAMILIES_MAX)
		return;
	if (!f) {
		f = &g->items[g->count++];
		*f = (struct family){.name = name, .reasons = ""};
	}
	f->points += points;
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "%s%s%s", f->reasons, f->reasons[0] ? "; " : "", reason);
	const char *kept = w.bad ? NULL : arena_text(g->arena, writer_bytes(&w));
	if (kept)
		f->reasons = kept;
}

static bool text_has(const char *text, const char *part)
{
	struct bytes b = bytes_of_text(text ? text : "");
	return !part[0] || bytes_find_nocase(b, part) < b.len;
}

/* A port is not part of another: "23" is neither 2323 nor 123. */
static bool is_port(const char *subject, const char *port)
{
	size_t n = strlen(port);
	const char *at = strstr(subject, port);
	return at && (at == subject || at[-1] < '0' || at[-1] > '9') && (at[n] < '0' || at[n] > '9');
}

static bool behaved(const struct run_findings *run, const struct sign *s)
{
	uint64_t times = 0;
	for (size_t i = 0; i < run->behaviour_count; i++) {
		const struct behaviour *b = &run->behaviours[i];
		if ((unsigned)b->kind != s->kind)
			continue;
		bool port = s->kind == DID_SCAN && s->where == IN_SUBJECT;
		if (port ? is_port(b->subject, s->is) : text_has(s->where == IN_WHAT ? b->what : b->subject, s->is))
			times += b->count ? b->count : 1;
	}
	return times && times >= s->count_min;
}

static bool greeted(const struct run_findings *run, const struct sign *s)
{
	static const uint8_t mirai[4] = {0, 0, 0, 1};
	for (size_t i = 0; i < run->hello_count; i++) {
		struct bytes said = run->hellos[i].said;
		if (s->is[0] == 1 ? said.len >= sizeof mirai && !memcmp(said.at, mirai, sizeof mirai)
				  : bytes_find_nocase(said, s->is) < said.len)
			return true;
	}
	return false;
}

static bool named(const struct sample_story *story, const struct sign *s)
{
	for (size_t i = 0; i < story->indicator_count; i++) {
		const struct indicator *it = &story->indicators[i];
		if ((unsigned)it->type == s->kind && it->confidence >= 50 &&
		    (!s->is[0] || bytes_find_nocase(it->value, s->is) < it->value.len))
			return true;
	}
	return false;
}

static bool holds(const struct sample_story *story, const struct sign *s)
{
	if (s->where == IN_INDICATOR)
		return named(story, s);
	for (size_t r = 0; r < STORY_RUNS; r++) {
		const struct run_findings *run = story->runs[r];
		if (!run)
			continue;
		if (s->where == IN_HELLO ? greeted(run, s)
		    : s->where == IN_OUTPUT ? bytes_find(run->output, s->is) < run->output.len
					    : behaved(run, s))
			return true;
	}
	return false;
}

static int family_order(const void *a, const void *b)
{
	const struct family *x = a, *y = b;
	return x->points != y->points ? (x->points > y->points ? -1 : 1) : strcmp(x->name, y->name);
}

int story_families(struct sample_story *story, struct arena *arena)
{
	struct guesses g = {.arena = arena};
	for (size_t i = 0; i < story->findings->family_count; i++) {
		const struct family *f = &story->findings->families[i];
		add_reason(&g, f->name, f->points, f->reasons ? f->reasons : "");
	}
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (holds(story, &signs[i]))
			add_reason(&g, signs[i].family, signs[i].points, signs[i].reason);
	if (g.count)
		qsort(g.items, g.count, sizeof *g.items, family_order);
	struct family *kept = arena_alloc(arena, (g.count + 1) * sizeof *kept);
	if (!kept)
		return ERR_MEMORY;
	memcpy(kept, g.items, g.count * sizeof *kept);
	story->families = kept;
	story->family_count = g.count;
	return 0;
}
