/*
 * The looks: measured facts of TCP/IP stacks.
 *
 * Values are those that nmap's and p0f's public databases and captures of the systems give for
 * them.  Orders are written as nmap writes them: M maximum segment size, N no operation, W window
 * scale, S SACK permitted, T timestamps, L end of list; one order for each combination of what
 * both sides have: none, T, S, ST, W, WT, WS, WST (RFC 9293 3.2, RFC 7323 2, RFC 2018 2).  An
 * order is never longer than Linux's own, since the kernel's segment is what is rewritten; an
 * empty one stays Linux's own.
 */
#include "passive/room/stack/stack.h"
#include <string.h>

#define EACH(ttl_, id_, fragment_) {.ttl = (ttl_), .id = (id_), .fragment = (fragment_)}

struct stack_facts {
	const char *name;
	struct stack_look look;
	const char *orders[STACK_COMBINATIONS];
};

#define LINUX_PACKETS(reset)                                                                                     \
	{                                                                                                        \
		[STACK_SYN_ACK] = EACH(64, STACK_ID_ZERO, STACK_DF_SET), [STACK_TCP] = EACH(64, STACK_ID_KEEP, STACK_DF_KEEP),           \
		[STACK_RESET] = EACH(64, (reset), STACK_DF_SET), [STACK_UDP] = EACH(64, STACK_ID_KEEP, STACK_DF_KEEP),                   \
		[STACK_ICMP] = EACH(64, STACK_ID_COUNT, STACK_DF_KEEP)                                           \
	}
/* One counter for all that leaves, as Windows and most small stacks have it. */
#define COUNTING(ttl, tcp, reset, others)                                                                        \
	{                                                                                                        \
		[STACK_SYN_ACK] = EACH((ttl), STACK_ID_COUNT, (tcp)),                                            \
		[STACK_TCP] = EACH((ttl), STACK_ID_COUNT, (tcp)),                                                \
		[STACK_RESET] = EACH((ttl), STACK_ID_COUNT, (reset)),                                            \
		[STACK_UDP] = EACH((ttl), STACK_ID_COUNT, (others)),                                             \
		[STACK_ICMP] = EACH((ttl), STACK_ID_COUNT, (others))                                             \
	}

#define LINUX_ORDERS {"M", "MNNT", "MNNS", "MST", "MNW", "MNNTNW", "MNNSNW", "MSTNW"}
#define WINDOWS_ORDERS {"M", "MNNT", "MNNS", "MST", "MNW", "MNWNNT", "MNWNNS", "MNWST"}
#define BSD_ORDERS {"M", "MNNT", "MSLL", "MST", "MNW", "MNWNNT", "MNWSLL", "MNWST"}
#define VXWORKS_ORDERS {"M", "MNNT", "", "", "MNW", "MNWNNT", "", ""}
#define SCALE_ORDERS {"M", "", "", "", "MNW", "", "", ""}
#define SIZE_ORDERS {"M", "", "", "", "", "", "", ""}
#define STRIP_ALL (STACK_TIMES | STACK_SACK | STACK_SCALE)

static const struct stack_facts facts[] = {
	{"linux-2.6",
	 {.packets = LINUX_PACKETS(STACK_ID_ZERO), .mss = 1460, .window = {5840, 5792}, .scale = 2, .echo_code = 1,
	  .odd = 1, .tick_ms = 4},
	 LINUX_ORDERS},
	{"linux-3",
	 {.packets = LINUX_PACKETS(STACK_ID_COUNT), .mss = 1460, .window = {14600, 14480}, .scale = 5, .ecn = 1,
	  .echo_code = 1, .odd = 1, .tick_ms = 10},
	 LINUX_ORDERS},
	{"linux-4",
	 {.packets = LINUX_PACKETS(STACK_ID_COUNT), .mss = 1460, .window = {29200, 28960}, .scale = 7, .ecn = 1,
	  .echo_code = 1, .tick_ms = 4},
	 LINUX_ORDERS},
	{"linux-5",
	 {.packets = LINUX_PACKETS(STACK_ID_ZERO), .mss = 1460, .window = {64240, 65160}, .scale = 7, .ecn = 1,
	  .echo_code = 1, .odd = 1, .tick_ms = 1, .times_any = 1},
	 LINUX_ORDERS},
	{"windows-7",
	 {.packets = COUNTING(128, STACK_DF_SET, STACK_DF_SET, STACK_DF_CLEAR), .mss = 1460, .window = {8192, 8192},
	  .scale = 8, .reset_ack = 1, .odd = 1, .tick_ms = 10},
	 WINDOWS_ORDERS},
	{"windows-2012",
	 {.packets = COUNTING(128, STACK_DF_SET, STACK_DF_SET, STACK_DF_CLEAR), .mss = 1460, .window = {8192, 8192},
	  .scale = 8, .ecn = 1, .reset_ack = 1, .tick_ms = 10},
	 WINDOWS_ORDERS},
	{"windows-10",
	 {.packets = COUNTING(128, STACK_DF_SET, STACK_DF_SET, STACK_DF_CLEAR), .mss = 1460, .window = {8192, 8192},
	  .scale = 8, .reset_ack = 1, .odd = 1, .tick_ms = 1},
	 WINDOWS_ORDERS},
	{"freebsd",
	 {.packets = COUNTING(64, STACK_DF_SET, STACK_DF_SET, STACK_DF_CLEAR), .mss = 1460, .window = {65535, 65535},
	  .scale = 6, .echo_code = 1, .echo_df = 1, .quote = 28},
	 BSD_ORDERS},
	/* VxWorks as on network cards of laser printers. */
	{"printer",
	 {.packets = COUNTING(64, STACK_DF_SET, STACK_DF_CLEAR, STACK_DF_CLEAR), .mss = 1460, .window = {1460, 1460},
	  .strip = STACK_SACK, .echo_code = 1, .echo_df = 1, .tick_ms = 10, .quote = 84, .quote_blank = 2},
	 VXWORKS_ORDERS},
	/* VxWorks as on switches for plants. */
	{"vxworks",
	 {.packets = COUNTING(64, STACK_DF_SET, STACK_DF_CLEAR, STACK_DF_CLEAR), .mss = 1460, .window = {4096, 4096},
	  .strip = STACK_SACK, .echo_code = 1, .echo_df = 1, .odd = 1, .tick_ms = 4, .quote = 84, .quote_blank = 2},
	 VXWORKS_ORDERS},
	{"controllogix",
	 {.packets = {[STACK_SYN_ACK] = EACH(64, STACK_ID_SWAPPED, STACK_DF_SET),
		      [STACK_TCP] = EACH(64, STACK_ID_SWAPPED, STACK_DF_SET),
		      [STACK_RESET] = EACH(64, STACK_ID_SWAPPED, STACK_DF_CLEAR),
		      [STACK_UDP] = EACH(64, STACK_ID_SWAPPED, STACK_DF_CLEAR),
		      [STACK_ICMP] = EACH(64, STACK_ID_SWAPPED, STACK_DF_CLEAR)},
	  .mss = 1460, .window = {10000, 10000}, .strip = STACK_TIMES | STACK_SACK, .echo_df = 1, .odd = 1,
	  .quote = 284},
	 SCALE_ORDERS},
	{"modicon",
	 {.packets = {[STACK_SYN_ACK] = EACH(64, STACK_ID_RANDOM, STACK_DF_CLEAR),
		      [STACK_TCP] = EACH(64, STACK_ID_COUNT, STACK_DF_CLEAR),
		      [STACK_RESET] = EACH(64, STACK_ID_COUNT, STACK_DF_CLEAR),
		      [STACK_UDP] = EACH(64, STACK_ID_COUNT, STACK_DF_CLEAR),
		      [STACK_ICMP] = EACH(64, STACK_ID_COUNT, STACK_DF_CLEAR)},
	  .mss = 512, .window = {8192, 8192},
	  .strip = STACK_TIMES | STACK_SACK, .echo_code = 1, .echo_df = 1, .quote = 28, .quote_blank = 3},
	 SCALE_ORDERS},
	{"simatic",
	 {.packets = COUNTING(128, STACK_DF_CLEAR, STACK_DF_CLEAR, STACK_DF_CLEAR), .mss = 1460,
	  .window = {2048, 2048}, .strip = STRIP_ALL, .odd = 1, .quote = 28},
	 SIZE_ORDERS},
	{"omron-cj",
	 {.packets = {[STACK_SYN_ACK] = EACH(32, STACK_ID_COUNT, STACK_DF_CLEAR),
		      [STACK_TCP] = EACH(32, STACK_ID_COUNT, STACK_DF_CLEAR),
		      [STACK_RESET] = EACH(32, STACK_ID_COUNT, STACK_DF_CLEAR),
		      [STACK_UDP] = EACH(255, STACK_ID_COUNT, STACK_DF_CLEAR),
		      [STACK_ICMP] = EACH(255, STACK_ID_COUNT, STACK_DF_CLEAR)},
	  .mss = 1024, .window = {4096, 4096}, .strip = STRIP_ALL, .echo_code = 1, .echo_df = 1, .odd = 1, .quote = 28,
	  .quote_blank = 1},
	 SIZE_ORDERS},
	/* lwIP and what is like it: no option but the segment's size. */
	{"lwip",
	 {.packets = COUNTING(255, STACK_DF_CLEAR, STACK_DF_CLEAR, STACK_DF_CLEAR), .mss = 1460,
	  .window = {2920, 2920}, .strip = STRIP_ALL, .echo_code = 1, .echo_df = 1, .odd = 1, .quote = 28},
	 SIZE_ORDERS},
	/* Modules that put a serial line on Ethernet. */
	{"serial-ethernet",
	 {.packets = COUNTING(64, STACK_DF_SET, STACK_DF_SET, STACK_DF_SET), .mss = 1024, .window = {511, 511},
	  .strip = STRIP_ALL, .echo_code = 1, .echo_df = 1, .odd = 1, .quote = 28},
	 SIZE_ORDERS},
};

#define FACTS (sizeof facts / sizeof *facts)
_Static_assert(FACTS <= STACK_LOOKS_MAX, "a look is numbered in a byte, and the kernel's table has so much room");

bool stack_known(const char *name) { return stack_number(name) != STACK_NO_LOOK; }

uint8_t stack_number(const char *name)
{
	for (size_t i = 0; name && i < FACTS; i++)
		if (!strcmp(facts[i].name, name))
			return (uint8_t)i;
	return STACK_NO_LOOK;
}

void stack_names(struct writer *w)
{
	for (size_t i = 0; i < FACTS; i++)
		write_fmt(w, " %s", facts[i].name);
}

/* Writes kind and length of each option; values come with each packet. */
static struct stack_layout layout_of(const char *order)
{
	struct stack_layout l = {0};
	for (const char *o = order ? order : ""; *o; o++) {
		uint8_t *at = l.bytes + l.size, n = *o == 'M' ? 4 : *o == 'W' ? 3 : *o == 'S' ? 2 : *o == 'T' ? 10 : 1;
		at[0] = *o == 'M' ? 2 : *o == 'W' ? 3 : *o == 'S' ? 4 : *o == 'T' ? 8 : *o == 'N' ? 1 : 0;
		if (n > 1)
			at[1] = n;
		if (*o == 'M')
			l.mss_at = (uint8_t)(l.size + 2);
		else if (*o == 'W')
			l.scale_at = (uint8_t)(l.size + 2);
		else if (*o == 'T')
			l.times_at = (uint8_t)(l.size + 2);
		l.size = (uint8_t)(l.size + n);
	}
	return l;
}

size_t stack_looks(struct stack_look out[STACK_LOOKS_MAX])
{
	for (size_t i = 0; i < FACTS; i++) {
		out[i] = facts[i].look;
		for (size_t k = 0; k < STACK_COMBINATIONS; k++) {
			/* Written none, T, S, ST, W, WT, WS, WST, which are the bits' own order. */
			out[i].layouts[k] = layout_of(facts[i].orders[k]);
		}
	}
	return FACTS;
}
