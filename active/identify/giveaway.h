/*
 * Is this host a decoy of somebody else's?
 *
 * Decoys imitate devices, so their answers match fingerprints; what gives them away is what
 * their authors left at its default (a serial number, a page, a greeting), what no machine
 * does (every port open, the banner of one protocol on another, controllers of four makers in
 * one box), and where they stand.  Rules are data (fingerprints/decoys.yaml):
 *
 *   decoys:
 *   - name: conpot                  which decoy; "" where only "some decoy" is known
 *     when: [{key: s7.identity, contains: [88111222]}]       all of them must hold
 *     weight: 95                    percent: how sure this alone makes
 *     because: serial number of its default template
 *   structures:
 *   - {structure: every-port, least: 6, weight: 40, because: ...}
 *
 * `equals`, `starts` and `contains` compare bytes, upper and lower case alike; there are no
 * patterns, so no rule can take long.  Weights combine as independent evidence does:
 * 1 - (1 - a)(1 - b).  From GIVEAWAY_DECOY on a host is not reported as what it plays.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define GIVEAWAY_RULES_MAX 512
#define GIVEAWAY_WHEN_MAX 4
#define GIVEAWAY_WORDS_MAX 6
#define GIVEAWAY_FILE_MAX (1u << 20)
#define GIVEAWAY_DECOY 70     /* it is one */
#define GIVEAWAY_SUSPECTED 40 /* it may be one: its class is not counted */
#define GIVEAWAY_PORTS_MAX 16
#define GIVEAWAY_SIGNALS_MAX 32

struct giveaways;

/* What is known of a host; the texts are the caller's. */
struct giveaway_host {
	struct giveaway_signal {
		struct bytes key, value;
		uint16_t port;
	} signals[GIVEAWAY_SIGNALS_MAX];
	size_t signal_count;
	struct giveaway_port {
		uint16_t port;
		bool open;
		uint16_t window;     /* of its SYN-ACK; 0: not heard */
		uint8_t ttl;         /* likewise, as received */
		bool linux_options;  /* options in the order in which Linux writes them */
	} ports[GIVEAWAY_PORTS_MAX];
	size_t port_count;
	bool hosting; /* in a network of which the operator said that it hosts servers */
};

struct giveaway_verdict {
	unsigned score; /* 0..100 */
	char name[48];  /* the decoy named by the strongest rule; "" when none names one */
	char reasons[1024]; /* sentences joined by "; ", the strongest first */
};

int giveaways_open(struct giveaways **); /* an empty set: 0 or ERR_MEMORY */
/*
 * Adds the rules of a file.  A rule that is wrong is left out and counted in `skipped`; the
 * first complaint ("decoys.yaml:12: ...") goes to `first`.  ERR_BAD when it is no YAML at all.
 */
int giveaways_add(struct giveaways *, struct bytes text, const char *name, size_t *skipped, struct fault *first);
void giveaways_close(struct giveaways *);
size_t giveaways_count(const struct giveaways *);

void giveaways_judge(const struct giveaways *, const struct giveaway_host *, struct giveaway_verdict *);
