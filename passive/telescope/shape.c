/*
 * SYNs as others write them, so that what is seen here can be looked up there.
 */
#include "passive/telescope/packet_inner.h"

#define P0F_DISTANCE_MAX 35 /* p0f takes no host to be farther away */

static unsigned option_bytes(const struct tcp_shape *s)
{
	static const uint8_t size[] = {1, 1, 4, 3, 2, 10, 0, 0, 10};
	unsigned n = s->eol_padding;
	for (unsigned i = 0; i < s->option_count; i++)
		n += s->options[i] < sizeof size ? size[s->options[i]] : 0;
	return n;
}

/*
 * p0f's detect_win_multi(): what the window is a multiple of, in the order in which p0f looks.
 * It does so without the window's scale, since neither do those who write TCP stacks.
 */
static unsigned window_multiple(const struct tcp_shape *s, bool *mtu)
{
	int mss = s->mss;
	if (!s->window || mss < 100)
		return 0;
	bool six = s->version == 6, stamped = false;
	for (unsigned i = 0; i < s->option_count; i++)
		stamped |= s->options[i] == 8 && !(s->quirks & QUIRK_TS1_MINUS);
	int header = (six ? IPV6_HEADER : IPV4_HEADER + s->ip_options) + TCP_HEADER + (int)option_bytes(s);
	const struct { int size; bool when, mtu; } tries[] = {
		{mss, true, false}, {mss - 12, stamped, false},
		{1500 - 40, true, false}, {1500 - 40 - 12, true, false},
		{1500 - 60, six, false}, {1500 - 60 - 12, six, false},
		{mss + 40, true, true}, {mss + header, true, true},
		{mss + 60, six, true}, {1500, true, true},
	};
	for (unsigned i = 0; i < sizeof tries / sizeof *tries; i++)
		if (tries[i].when && s->window % tries[i].size == 0) {
			*mtu = tries[i].mtu;
			return s->window / (unsigned)tries[i].size;
		}
	return 0;
}

static void write_options(struct writer *w, const struct tcp_shape *s)
{
	static const char *const names[] = {"eol+", "nop", "mss", "ws", "sok", "sack", NULL, NULL, "ts"};
	for (unsigned i = 0; i < s->option_count; i++) {
		uint8_t kind = s->options[i];
		write_text(w, i ? "," : "");
		if (kind >= sizeof names / sizeof *names || !names[kind])
			write_fmt(w, "?%u", kind);
		else
			write_text(w, names[kind]);
		if (kind == 0)
			write_fmt(w, "%u", s->eol_padding);
	}
}

static void write_quirks(struct writer *w, uint32_t quirks)
{
	static const char *const names[] = {
		"df", "id+", "id-", "ecn", "0+", "flow", "seq-", "ack+", "ack-", "uptr+", "urgf+",
		"pushf+", "ts1-", "ts2+", "opt+", "exws", "bad",
	};
	const char *comma = "";
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (quirks >> i & 1) {
			write_text(w, comma);
			write_text(w, names[i]);
			comma = ",";
		}
}

/* 40 bytes of options do not fill SHAPE_TEXT_MAX; a shape that nobody sent is cut. */
static char *finish(struct writer *w)
{
	*w->at = '\0';
	return (char *)w->start;
}

char *shape_p0f(const struct tcp_shape *s, uint8_t ttl, char text[SHAPE_TEXT_MAX])
{
	struct writer w = writer_of(text, SHAPE_TEXT_MAX - 1);
	unsigned initial = ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
	bool mtu = false;
	unsigned multiple = window_multiple(s, &mtu);
	if (initial - ttl > P0F_DISTANCE_MAX)
		write_fmt(&w, "%u:%u+?:%u:%u:", s->version, ttl, s->ip_options, s->mss);
	else
		write_fmt(&w, "%u:%u:%u:%u:", s->version, initial, s->ip_options, s->mss);
	if (multiple)
		write_fmt(&w, "%s*%u", mtu ? "mtu" : "mss", multiple);
	else
		write_fmt(&w, "%u", s->window);
	write_fmt(&w, ",%u:", s->wscale == NO_WSCALE ? 0 : s->wscale);
	write_options(&w, s);
	write_text(&w, ":");
	write_quirks(&w, s->quirks);
	write_text(&w, s->payload ? ":+" : ":0");
	return finish(&w);
}

char *shape_ja4t(const struct tcp_shape *s, char text[SHAPE_TEXT_MAX])
{
	struct writer w = writer_of(text, SHAPE_TEXT_MAX - 1);
	write_fmt(&w, "%u_", s->window);
	for (unsigned i = 0; i < s->option_count; i++)
		write_fmt(&w, "%s%u", i ? "-" : "", s->options[i]);
	/* JA4T takes each byte of padding for one more end of options. */
	for (unsigned i = 0; i < s->eol_padding; i++)
		write_text(&w, "-0");
	if (s->option_count == 0)
		write_text(&w, "00");
	if (s->mss)
		write_fmt(&w, "_%u_", s->mss);
	else
		write_text(&w, "_00_");
	if (s->wscale == NO_WSCALE)
		write_text(&w, "00");
	else
		write_fmt(&w, "%u", s->wscale);
	return finish(&w);
}
