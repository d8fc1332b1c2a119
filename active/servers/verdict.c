#include "active/servers/verdict.h"
#include <stdio.h>

#define ALIKE_BYTES 8 /* answers that begin with so many equal bytes are one */
#define CERTAIN_LIVE 95
#define CERTAIN_BANNER 80 /* nothing was asked: a decoy could say it to everybody */
#define CERTAIN_LIKELY 60
#define CERTAIN_OPEN 30
#define CERTAIN_SERVICE 20
#define CERTAIN_SILENT 10

const char *check_at_name(enum check_at at)
{
	static const char *const names[CHECK_STEPS] = {"banner", "hello", "neutral", "elsewhere"};
	return names[at];
}

static bool starts_with(struct bytes b, struct bytes start)
{
	return !start.len || (b.len >= start.len && !memcmp(b.at, start.at, start.len));
}

/* A server that speaks first says its banner to whoever comes: the answer is what follows. */
static struct bytes after_banner(struct bytes said, struct bytes banner)
{
	if (banner.len && starts_with(said, banner))
		return (struct bytes){said.at + banner.len, said.len - banner.len};
	return said;
}

static bool alike(struct bytes a, struct bytes b)
{
	const size_t shorter = a.len < b.len ? a.len : b.len;
	if (!a.len || !b.len)
		return false;
	return bytes_equal(a, b) || (shorter >= ALIKE_BYTES && !memcmp(a.at, b.at, ALIKE_BYTES));
}

struct answers {
	struct bytes banner, hello, neutral, elsewhere;
};

__attribute__((format(printf, 5, 6))) static void
conclude(struct server_verdict *v, enum server_state state, unsigned certainty, const struct server_fingerprint *f,
	 const char *fmt, ...)
{
	va_list list;
	v->state = state;
	v->certainty = certainty;
	v->fingerprint = f;
	va_start(list, fmt);
	vsnprintf(v->why, sizeof v->why, fmt, list);
	va_end(list);
}

/* Nothing was said to it, or nothing may be. */
static void judge_banner(const struct server_fingerprints *f, const struct check_order *o, const struct answers *a,
			 struct server_verdict *v)
{
	const struct server_fingerprint *own = server_fingerprints_match(f, false, ON_BANNER, o->hello, a->banner);
	const struct server_fingerprint *service = server_fingerprints_match(f, true, ON_BANNER, o->hello, a->banner);
	if (own)
		conclude(v, SERVER_LIVE, CERTAIN_BANNER, own, "its banner is that of %s", own->name);
	else if (service)
		conclude(v, SERVER_SERVICE, CERTAIN_SERVICE, service, "its banner is that of %s", service->name);
	else
		conclude(v, SERVER_OPEN, CERTAIN_OPEN, NULL, "it takes connections; %s, and no hello was said",
			 a->banner.len ? "its banner is not known" : "it does not speak first");
}

static void judge_known(const struct server_fingerprint *own, const struct answers *a, struct server_verdict *v)
{
	if (predicate_holds(&own->says, a->neutral))
		conclude(v, SERVER_EVERYTHING, 0, own, "it gives the answer of %s to bytes without meaning, too", own->name);
	else if (predicate_holds(&own->says, a->elsewhere))
		conclude(v, SERVER_EVERYTHING, 0, own, "it gives the answer of %s at another port, too", own->name);
	else
		conclude(v, SERVER_LIVE, CERTAIN_LIVE, own, "it answers the hello as %s, and nothing else so", own->name);
}

static void judge_unknown(const struct server_fingerprints *f, const struct check_order *o, const struct answers *a,
			  struct server_verdict *v)
{
	const struct server_fingerprint *service = server_fingerprints_match(f, true, ON_ANSWER, o->hello, a->hello);
	if (!service)
		service = server_fingerprints_match(f, true, ON_BANNER, o->hello, a->banner);
	if (!service)
		service = server_fingerprints_match(f, true, ON_BANNER, o->hello, a->hello);
	if (service)
		conclude(v, SERVER_SERVICE, CERTAIN_SERVICE, service, "it answers as %s, which anybody may run", service->name);
	else if (alike(a->hello, a->neutral))
		conclude(v, SERVER_EVERYTHING, 0, NULL, "bytes without meaning get the answer of the hello");
	else if (alike(a->hello, a->elsewhere))
		conclude(v, SERVER_EVERYTHING, 0, NULL, "another port answers the hello alike");
	else
		conclude(v, SERVER_LIKELY, CERTAIN_LIKELY, NULL,
			 "it answers the hello and neither bytes without meaning nor elsewhere so; no fingerprint knows the answer");
}

static void judge_silence(const struct answers *a, struct server_verdict *v)
{
	if (a->neutral.len)
		conclude(v, SERVER_SERVICE, CERTAIN_SERVICE, NULL, "it answers bytes without meaning and not the hello");
	else if (a->banner.len)
		conclude(v, SERVER_OPEN, CERTAIN_SILENT, NULL, "it speaks first and does not answer the hello");
	else
		conclude(v, SERVER_SILENT, CERTAIN_SILENT, NULL, "it takes connections and answers nothing");
}

/*
 * Some servers take registrations in silence and show their masters' prompt to whoever says something
 * else; that is told by the neutral bytes, as long as the hello and another port do not get it, too.
 */
static const struct server_fingerprint *match_neutral(const struct server_fingerprints *f, const struct check_order *o,
						      const struct answers *a)
{
	const struct server_fingerprint *own = server_fingerprints_match(f, false, ON_NEUTRAL, o->hello, a->neutral);
	const bool everywhere = own && (predicate_holds(&own->says, a->hello) || predicate_holds(&own->says, a->elsewhere));
	return everywhere ? NULL : own;
}

/* The first connection that was tried to the server's own port. */
static const struct heard *first_of(const struct heard heard[CHECK_STEPS])
{
	for (int at = AT_BANNER; at < AT_ELSEWHERE; at++)
		if (heard[at].taken)
			return &heard[at];
	return NULL;
}

void server_judge(const struct server_fingerprints *f, const struct check_order *o, const struct heard heard[CHECK_STEPS],
		  struct server_verdict *v)
{
	const struct heard *first = first_of(heard);
	struct answers a = {.banner = heard[AT_BANNER].taken ? heard[AT_BANNER].said : o->banner};
	*v = (struct server_verdict){.state = SERVER_UNKNOWN};
	if (!first) {
		conclude(v, SERVER_UNKNOWN, 0, NULL, "it was not asked");
		return;
	}
	if (!first->opened) {
		conclude(v, first->refused ? SERVER_CLOSED : SERVER_FILTERED, 0, NULL, "%s",
			 first->refused ? "it refuses connections" : "it does not answer");
		return;
	}
	a.hello = after_banner(heard[AT_HELLO].said, a.banner);
	a.neutral = after_banner(heard[AT_NEUTRAL].said, a.banner);
	a.elsewhere = heard[AT_ELSEWHERE].said;
	const struct server_fingerprint *own =
		heard[AT_HELLO].taken ? server_fingerprints_match(f, false, ON_ANSWER, o->hello, a.hello) : NULL;
	const struct server_fingerprint *other = heard[AT_HELLO].taken ? match_neutral(f, o, &a) : NULL;
	if (!heard[AT_HELLO].taken || !heard[AT_HELLO].opened)
		judge_banner(f, o, &a, v);
	else if (!own && other)
		conclude(v, SERVER_LIVE, CERTAIN_LIVE, other, "to bytes without meaning it shows the prompt of %s, not to the hello",
			 other->name);
	else if (a.hello.len == 0)
		judge_silence(&a, v);
	else if (own)
		judge_known(own, &a, v);
	else
		judge_unknown(f, o, &a, v);
}
