/*
 * What one recipient sees of an event: field by field, after a policy, under keys of its own.
 *
 *   exchange:
 *     policies:
 *       - name: research
 *         fields: {src: crypto-pan, dst: drop, sensor: drop, time: {bucket: 1h}, login.user: {k: 5}, command.line: clean}
 *         default: clean
 *
 *   pass         as it is
 *   drop         absent
 *   truncate     the address's prefix: {truncate: 24} and {truncate: 48} by family
 *   crypto-pan   prefix-preserving (Xu et al. 2002), IPv4 and IPv6
 *   token        HMAC-SHA256 under the recipient's key, cut to 128 bits
 *   generalise   a number to its class (a port to well-known/registered/dynamic), a name to its domain, a URL to its host
 *   bucket       a time to the beginning of its bucket
 *   k            only what that many sources had in the selection; else its token
 *   clean        text in which each of our own addresses, in any spelling, is replaced
 *
 * Sensor and our own addresses (dst, and every prefix of decoys, telescope and sensors) are hidden in every policy
 * that does not say `pass` for them by name.  Private fields are never in a view.  Identifiers that are made
 * from values (STIX, MISP) are made after the view: the raw value's would be an oracle.
 *
 * Keys: one master, made once and kept 0600 below EXCHANGE_FOLDER; a recipient's is derived from it, the organisation
 * and the policy (share/keys.h), and the view derives one for each period (the policy's, 90d) of the events' time. Two
 * recipients cannot join what they got, and an export can be made again.
 *
 * pass does not uncover us: text of a field that passes is cleaned all the same, unless dst passes by name.  Other
 * fields of time and ids that are not named are treated as the event's own time and id.
 */
#pragma once
#include "base/arena.h"
#include "event/event.h"
#include "base/options.h"

#define VIEW_KEY_BYTES 32
#define POLICIES_MAX 64

struct view;

struct view_about {
	const struct config *config;      /* policies; our own prefixes; NULL: none but what follows */
	const char *policy;               /* its name; "default" is there without being configured */
	uint8_t key[VIEW_KEY_BYTES];      /* of keys_derive() */
	bool lasting;                     /* this key whatever the period: one that a person gave */
	const struct prefix *own;         /* further addresses and names that are ours */
	size_t own_count;
	const char *const *names;
	size_t name_count;
	const char *const *rules;         /* further rules, "src=crypto-pan", "time=bucket:1h"; they win */
	size_t rule_count;
};

int view_check(const struct config *, struct fault *);
int view_open(struct view **, const struct view_about *, struct fault *);
void view_close(struct view *);
/*
 * The event as its recipient sees it.  `out` must not be `in`.  The id is a token too, the same for the same
 * event, recipient and period; cause, root and session with it.
 */
void view_event(struct view *, const struct event *in, struct event *out);
/* For policies with k: tells each event of the selection once before any is viewed. */
bool view_counts(const struct view *);
void view_count(struct view *, const struct event *);
/* The key is that of this time's period from now on; view_event() does it itself. */
void view_period(struct view *, uint64_t time_us);
/*
 * An address as the recipient sees it in that field; one of ours as in dst, whatever the field.  Zero (of its
 * family) where it is dropped.
 */
struct address view_address(struct view *, const struct address *, uint16_t field);
/* Text in which our own addresses are replaced; in the arena, or the text itself when there are none. */
struct bytes view_clean(struct view *, struct bytes text, struct arena *);
/*
 * A captured packet, as far as it was captured, from the header that its link type (a LINKTYPE_ value) has: link
 * addresses are emptied, addresses become what the policy makes of src and dst (ours: dst; where nothing of ours is
 * known the place tells), also in options, quotes of ICMP, tunnels and ARP, and the payload is cleaned.  Its length
 * stays, and a checksum that was right is right afterwards.  What cannot be read is emptied.
 */
void view_packet(struct view *, unsigned link_type, uint8_t *packet, size_t len);

/*
 * A whole file: a capture (pcap, pcapng), or a table (CSV by its first line, separated by commas, semicolons, tabs or
 * bars), told apart by the first bytes; written in the same form.  Of pcapng only what packets need is kept: comments,
 * names of hosts and interfaces, secrets and other vendors' blocks are left out.
 */
struct view_file_counts {
	uint64_t packets, rows, left_out; /* left_out: blocks of pcapng */
	bool torn;                        /* it ended within a packet */
};
struct view_file {
	int in, out;                      /* descriptors, not closed */
	const char *name;                 /* for sentences */
	const char *const *columns;       /* of a table: "COLUMN=ACTION"; the others by their names and what stands in them */
	size_t column_count;
	bool text;                        /* neither: lines in which every address becomes what src does */
};
/* 0 or ERR_… with a sentence; what was written before is good. */
int view_file(struct view *, const struct view_file *, struct view_file_counts *, struct fault *);

/*
 * A table of counts of sources, by two things: the first line and the first cell of each row name them; a row or column
 * called total, sum or all holds totals.  Each cell of fewer than k sources is hidden ("*"), and as many others as it
 * takes that no total tells it: in no line stands one alone, and what is hidden in a line is k sources at least.
 */
int view_cells(const struct view_file *, unsigned k, struct view_file_counts *, struct fault *); /* left_out: hidden cells */
