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
 * Keys: made once, kept 0600 below EXCHANGE_FOLDER; a recipient's of a period is derived from the master (HKDF-SHA256
 * over organisation, policy and period), so two recipients cannot join what they got, and an export can be made again.
 */
#pragma once
#include "base/arena.h"
#include "event/event.h"
#include "base/options.h"

#define VIEW_KEY_BYTES 32
#define POLICIES_MAX 64

struct view;
struct view_policy; /* of the configuration */

struct view_about {
	const struct config *config;      /* policies; our own prefixes */
	const char *policy;               /* its name; "default" is there without being configured */
	uint8_t key[VIEW_KEY_BYTES];
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
struct address view_address(struct view *, const struct address *, uint16_t field);
/* Text in which our own addresses are replaced; in the arena, or the text itself when there are none. */
struct bytes view_clean(struct view *, struct bytes text, struct arena *);
/* A packet (from its Ethernet, Linux cooked or IP header) with addresses, quotes and payload cleaned in place, checksums kept right. */
void view_packet(struct view *, int link_type, uint8_t *packet, size_t len);
