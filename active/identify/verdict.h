/*
 * What a host is, from everything it said.
 *
 *   verdict_open(&v, identify);
 *   verdict_add(&v, "telnet.banner", 23, banner);      each signal as it comes
 *   verdict_add(&v, "html_title", 80, title);
 *   verdict_conclude(&v);                              then read the fields below
 *
 * A class is only named when a rule names it; a web server's name or a bare
 * `login:` never do.  All texts are valid UTF-8: bytes from outside that are not
 * stand as `?`.  The struct owns its texts except `rule`, which is the identify's;
 * banners need not outlive the call.  Adding beyond the maximum is ignored.
 */
#pragma once
#include "active/identify/identify.h"

#define VERDICT_SIGNALS_MAX 32
#define VERDICT_EVIDENCE_MAX 32
/* From here on a class may be counted as that class; below it is a guess to look at. */
#define VERDICT_CONFIDENCE_NAMED 50

struct verdict_evidence {
	const char *rule; /* the identify's */
	char key[40];
	uint16_t port;
	uint8_t certainty; /* percent */
	bool captured;     /* the product is the banner's own word, not the rule's */
	char device[96], vendor[64], product[96], version[64], os[96], service[64];
};

struct verdict {
	const struct identify *identify;
	/* The answer; empty texts: not known. */
	char device[96], vendor[64], product[96], version[64], os[96], service[64];
	const char *rule; /* that of the leading evidence, "" without one */
	/*
	 * What it does in a plant or a building: PLC, RTU, HMI, meter ...; "unspecified" where a protocol of
	 * controllers told an identity that no rule gives a class; "" elsewhere.
	 */
	const char *role;
	unsigned confidence; /* 0..100 that `device` is right; 0 when it is empty */
	bool disputed;       /* signals of two different devices; see dissent */
	/* Sentences joined by "; ", as host.identified carries them. */
	char evidence[1024]; /* hits that agree */
	char dissent[1024];  /* hits that name another device */
	char near[512];      /* rules whose fixed part was there and whose whole was not */
	char signals[768];   /* the strongest raw signals that no rule gave a class */
	char software[2048]; /* CPE names of all hits, lines of "PORT CERTAINTY RULE CPE BANNER" */
	/* What the answer was made from. */
	struct verdict_evidence hits[VERDICT_EVIDENCE_MAX];
	size_t hit_count, signal_count;
	bool speaks_industrial; /* a signal of such a protocol was among them */
};

void verdict_open(struct verdict *, const struct identify *);
/* One signal: a match key, the port it came from, the bytes.  Order does not matter. */
void verdict_add(struct verdict *, const char *key, uint16_t port, struct bytes banner);
void verdict_conclude(struct verdict *);

/* Kinds of device that can be taken for each other without one of them being wrong. */
enum device_family {
	DEVICE_OTHER, /* alone: agrees with nothing but its own label */
	DEVICE_VIDEO,
	DEVICE_GATEWAY,
	DEVICE_VOICE,
	DEVICE_STORAGE,
	DEVICE_TELEVISION,
};

/*
 * A class of device under the label that reports print.  A `broad` label (Router)
 * yields to a narrower one of its family (Wireless Router) when both are heard.
 */
struct device_class {
	const char *label;
	enum device_family family;
	bool broad;
};

#define DEVICE_CLASSES_MAX 128
const struct device_class *device_class_at(size_t i); /* NULL beyond the last */
const struct device_class *device_class_find(const char *label);
const char *device_role(const char *label); /* "PLC"; "" for what is in no plant and no building */
