/*
 * Weighs what rules say of one host.
 *
 * Agreement: the same class, or two classes of one family where nothing speaks
 * against it: a router that is also called a wireless router.
 * Every further agreeing signal takes away part of the remaining doubt; a second
 * signal of the same port takes half as much, since one page made both.
 *
 * Disagreement: behind one address there may be several machines, since a router
 * forwards ports.  Which of them attacks us?  The bots that we meet come in over
 * Telnet, so the one that answers there is the likeliest carrier: when Telnet
 * names a device and another port names a different one, Telnet's leads, with a
 * confidence of at most DISPUTED_MAX.  When Telnet says nothing of its own, two
 * devices of comparable certainty leave the class open: a false label costs more
 * than a missing one.  The other side is kept in `dissent` in every case.
 */
#include "active/identify/prefilter_inner.h"
#include "active/identify/verdict.h"
#include <ctype.h>

enum {
	WEAK_BELOW = 50,      /* such a hit disputes nothing */
	KIN_WEAK_BELOW = 70,  /* nor does such a hit of the same family, where the lead is */
	KIN_AHEAD = 10,       /* ahead by as much */
	TELNET_LEADS_AT = 60, /* such a Telnet hit leads when devices differ, such a narrow one a broad */
	DISPUTED_MAX = 60,
	CLEARLY_AHEAD = 30, /* percent by which a lead must be ahead to be kept without Telnet */
	CONFIDENCE_MAX = 99,
	NEAR_LITERAL_MIN = 6, /* shorter fixed parts are in everything */
	SIGNAL_SHOWN_MAX = 120,
};

/* Copies outside bytes as text: printable ASCII and valid UTF-8 stay, all else becomes `?`. */
void plain_text_put(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len;) {
		uint8_t c = b.at[i];
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		bool fits = n <= b.len - i && bytes_is_utf8((struct bytes){b.at + i, n});
		if (n > writer_left(w))
			return;
		if (n == 1)
			write_u8(w, isprint(c) ? c : isspace(c) ? ' ' : '?');
		else if (fits)
			write_bytes(w, b.at + i, n);
		else
			write_u8(w, '?');
		i += n == 1 || !fits ? 1 : n;
	}
}

static void text_set(char *out, size_t n, struct bytes b)
{
	struct writer w = writer_of(out, n - 1);
	plain_text_put(&w, b);
	*w.at = 0;
}

#define TEXT_SET(array, b) text_set(array, sizeof(array), b)

/* Appends "what" after "; "; what does not fit is left out whole. */
static void list_add(char *list, size_t n, const char *what)
{
	size_t used = strlen(list), len = strlen(what), gap = used ? 2 : 0;
	if (used + gap + len >= n || (used && strstr(list, what)))
		return;
	memcpy(list + used, "; ", gap);
	memcpy(list + used + gap, what, len + 1);
}

#define LIST_ADD(array, what) list_add(array, sizeof(array), what)

void verdict_open(struct verdict *v, const struct identify *id)
{
	*v = (struct verdict){.identify = id, .rule = "", .role = ""};
}

static void take_hit(struct verdict *v, const char *key, uint16_t port,
		     const struct identify_hit *hit, bool captured)
{
	struct verdict_evidence *e = &v->hits[v->hit_count++];
	*e = (struct verdict_evidence){.rule = hit->rule, .port = port, .captured = captured,
				       .certainty = (uint8_t)hit->certainty};
	TEXT_SET(e->key, bytes_of_text(key));
	TEXT_SET(e->device, identify_value(hit, "hw.device"));
	TEXT_SET(e->vendor, identify_value(hit, "hw.vendor"));
	TEXT_SET(e->product, identify_value(hit, "hw.product"));
	if (!e->product[0])
		TEXT_SET(e->product, identify_value(hit, "hw.family"));
	TEXT_SET(e->version, identify_value(hit, "hw.version"));
	if (!e->version[0])
		TEXT_SET(e->version, identify_value(hit, "os.version"));
	TEXT_SET(e->os, identify_value(hit, "os.product"));
	TEXT_SET(e->service, identify_value(hit, "service.product"));
}

static bool is_captured(const struct rule *rule)
{
	for (size_t i = 0; i < rule->param_count; i++)
		if (strcmp(rule->params[i].name, "hw.product") == 0)
			return !rule->params[i].value || strchr(rule->params[i].value, '{');
	return false;
}

static void take_near(struct verdict *v, uint16_t port, const char *key, const struct rule *rule)
{
	char text[256];
	snprintf(text, sizeof text, "%s (%.80s) by %s@%u", rule->id, rule->description, key, port);
	LIST_ADD(v->near, text);
}

/* The first hit of every file of the key: files of different makers may disagree. */
static bool match_files(struct verdict *v, struct rule_key *k, uint16_t port, struct bytes s)
{
	const struct rule_file *done = NULL;
	/* A page holds many words by chance; a near miss in it tells nothing. */
	bool classed = false, is_page = strcmp(k->name, "http.body") == 0;
	prefilter_seek(v->identify, k, s);
	for (size_t i = 0; (i = prefilter_next(k, i)) < k->rule_count; i++) {
		const struct rule *r = k->rules[i];
		struct identify_hit hit;
		if (r->file == done)
			continue;
		if (!fingerprint_matches(v->identify, r, s)) {
			if (!is_page && rule_literal_found(r, s) >= NEAR_LITERAL_MIN)
				take_near(v, port, k->name, r);
			continue;
		}
		done = r->file;
		rule_fill(v->identify, r, s, &hit);
		classed |= identify_value(&hit, "hw.device").len > 0;
		software_add(v->software, sizeof v->software, port, &hit, s);
		if (v->hit_count < VERDICT_EVIDENCE_MAX)
			take_hit(v, k->name, port, &hit, is_captured(r));
	}
	return classed;
}

/* BACnet, Fox and their like are spoken by nothing else; a gateway to them speaks Modbus, too. */
static bool is_industrial(const char *key)
{
	static const char *const keys[] = {"modbus.identity", "s7.identity", "bacnet.identity", "fox.identity",
					   "enip.identity", "dnp3.identity", "iec104.identity", "fins.identity",
					   "atg.identity"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

void verdict_add(struct verdict *v, const char *key, uint16_t port, struct bytes banner)
{
	if (v->signal_count >= VERDICT_SIGNALS_MAX || bytes_trim(banner).len == 0)
		return;
	v->signal_count++;
	v->speaks_industrial |= is_industrial(key);
	struct rule_key *k = rules_key(v->identify, key);
	char text[256];
	struct bytes s = banner_cut(banner_plain(v->identify, banner_kind(key), banner));
	if (k && match_files(v, k, port, s))
		return;
	struct writer w = writer_of(text, sizeof text - 1);
	write_fmt(&w, "%.40s@%u: ", key, port);
	if (s.len > SIGNAL_SHOWN_MAX)
		s.len = SIGNAL_SHOWN_MAX;
	plain_text_put(&w, s);
	*w.at = 0;
	LIST_ADD(v->signals, text);
}

static bool names_differ(const char *a, const char *b)
{
	return a[0] && b[0] && strcasecmp(a, b) != 0;
}

static enum device_family family_of(const char *label)
{
	const struct device_class *c = device_class_find(label);
	return c ? c->family : DEVICE_OTHER;
}

static bool is_broad(const char *label)
{
	const struct device_class *c = device_class_find(label);
	return c && c->broad;
}

/*
 * One port is one machine: its page may carry the seller's name and its server the
 * maker's; a gateway may well be wireless, on DSL and in a house all at once.  Across
 * ports, two narrow kinds of a family are two devices unless one maker made both: what a
 * router forwards is often another router or recorder behind it.
 */
static bool agrees(const struct verdict_evidence *a, const struct verdict_evidence *b)
{
	enum device_family family = family_of(a->device);
	if (strcmp(a->device, b->device) == 0)
		return true;
	if (family == DEVICE_OTHER || family != family_of(b->device))
		return false;
	if (a->port == b->port)
		return true;
	if (names_differ(a->vendor, b->vendor))
		return false;
	return is_broad(a->device) || is_broad(b->device) || (a->vendor[0] && b->vendor[0]);
}

/* How much a hit deserves to lead: sure first, then with a model of its own, then narrow. */
static int worth(const struct verdict_evidence *e)
{
	return e->certainty + (e->captured ? 8 : e->product[0] ? 4 : 0) +
	       (is_broad(e->device) ? 0 : 6);
}

static bool is_telnet(const struct verdict_evidence *e)
{
	return strncmp(e->key, "telnet.", 7) == 0;
}

/* The hit of most worth among those that name a class; `telnet`: only those of Telnet. */
static const struct verdict_evidence *lead_of(const struct verdict *v, bool telnet)
{
	const struct verdict_evidence *lead = NULL;
	for (size_t i = 0; i < v->hit_count; i++) {
		const struct verdict_evidence *e = &v->hits[i];
		if (!e->device[0] || (telnet && (!is_telnet(e) || e->certainty < TELNET_LEADS_AT)))
			continue;
		if (!lead || worth(e) > worth(lead))
			lead = e;
	}
	return lead;
}

/*
 * A broad label yields to a narrower one that agrees with it and stands on its own, unless
 * that one comes from another port than Telnet's, where it may be another machine's.
 */
static const struct verdict_evidence *narrowed(const struct verdict *v,
					       const struct verdict_evidence *lead)
{
	const struct verdict_evidence *best = lead;
	for (size_t i = 0; i < v->hit_count && is_broad(lead->device); i++) {
		const struct verdict_evidence *e = &v->hits[i];
		if (!e->device[0] || is_broad(e->device) || e->certainty < TELNET_LEADS_AT ||
		    !agrees(lead, e) || (e->port != lead->port && !is_telnet(e)))
			continue;
		if (best == lead || worth(e) > worth(best))
			best = e;
	}
	return best;
}

/* The surest hit that names another device than the lead. */
static const struct verdict_evidence *rival_of(const struct verdict *v,
					       const struct verdict_evidence *lead)
{
	const struct verdict_evidence *rival = NULL;
	for (size_t i = 0; i < v->hit_count; i++) {
		const struct verdict_evidence *e = &v->hits[i];
		if (e->device[0] && !agrees(lead, e) && (!rival || e->certainty > rival->certainty))
			rival = e;
	}
	return rival;
}

/*
 * Doubt shrinks with each agreeing signal; the lead counts whole.  Weak words stay
 * weak however many there are: what all of them share (a server that recorders and
 * cameras have in common) does not become clearer by being said twice.
 */
static unsigned agreement(const struct verdict *v, const struct verdict_evidence *lead)
{
	if (lead->certainty < WEAK_BELOW)
		return lead->certainty;
	double doubt = 1 - lead->certainty / 100.0;
	for (size_t i = 0; i < v->hit_count; i++) {
		const struct verdict_evidence *e = &v->hits[i];
		if (e == lead || !e->device[0] || !agrees(lead, e))
			continue;
		if (strcmp(e->key, lead->key) == 0 && e->port == lead->port)
			continue; /* another file's opinion of the same bytes */
		double share = e->certainty / 100.0;
		doubt *= 1 - (e->port == lead->port ? share / 2 : share);
	}
	unsigned percent = (unsigned)((1 - doubt) * 100 + 0.5);
	return percent > CONFIDENCE_MAX ? CONFIDENCE_MAX : percent;
}

static void describe(const struct verdict_evidence *e, char *text, size_t n)
{
	struct writer w = writer_of(text, n - 1);
	const char *const parts[] = {e->device, e->vendor, e->product, e->os, e->service};
	write_fmt(&w, "%s@%u %s %u%%:", e->key, e->port, e->rule, e->certainty);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i][0] && strlen(parts[i]) + 1 <= writer_left(&w))
			write_fmt(&w, " %s", parts[i]);
	*w.at = 0;
}

static void list_evidence(struct verdict *v, const struct verdict_evidence *lead)
{
	char text[512];
	if (lead) {
		describe(lead, text, sizeof text);
		LIST_ADD(v->evidence, text);
	}
	for (size_t i = 0; i < v->hit_count; i++) {
		const struct verdict_evidence *e = &v->hits[i];
		if (e == lead)
			continue;
		describe(e, text, sizeof text);
		if (e->device[0] && (!lead || !agrees(lead, e)))
			LIST_ADD(v->dissent, text);
		else
			LIST_ADD(v->evidence, text);
	}
}

#define TAKE(v, e, field)                                                                          \
	do {                                                                                       \
		if (!(v)->field[0])                                                                \
			memcpy((v)->field, (e)->field, sizeof(v)->field);                          \
	} while (0)

/* What the lead leaves open comes from agreeing hits: a model only from the same maker. */
static void fill_details(struct verdict *v, const struct verdict_evidence *lead)
{
	if (lead) {
		TAKE(v, lead, vendor);
		TAKE(v, lead, product);
		TAKE(v, lead, version);
		TAKE(v, lead, os);
		TAKE(v, lead, service);
	}
	for (size_t i = 0; i < v->hit_count; i++) {
		const struct verdict_evidence *e = &v->hits[i];
		if (lead && ((e->device[0] && !agrees(lead, e)) || names_differ(v->vendor, e->vendor)))
			continue;
		if (lead && !e->device[0] && e->port != lead->port)
			continue; /* nginx on another port may be another machine */
		TAKE(v, e, vendor);
		/* A page names the model, its controller's port the firmware. */
		if (lead && strcmp(e->device, lead->device) == 0 && !names_differ(v->product, e->product))
			TAKE(v, e, version);
		TAKE(v, e, product);
		TAKE(v, e, os);
		TAKE(v, e, service);
	}
}

/* A rival too weak to dispute: a guess, or a chip's name beside the name of a device. */
static bool is_weak(const struct verdict_evidence *rival, const struct verdict_evidence *lead)
{
	if (lead->certainty < WEAK_BELOW)
		return false;
	enum device_family family = family_of(rival->device);
	return rival->certainty < WEAK_BELOW ||
	       (family != DEVICE_OTHER && family == family_of(lead->device) &&
		rival->certainty < KIN_WEAK_BELOW &&
		lead->certainty >= rival->certainty + KIN_AHEAD);
}

/* Applies the rule above; NULL leaves the class open. */
static const struct verdict_evidence *resolve(struct verdict *v, const struct verdict_evidence *lead,
					      const struct verdict_evidence *rival)
{
	v->confidence = agreement(v, lead);
	if (!rival)
		return lead;
	if (is_weak(rival, lead)) {
		v->confidence -= v->confidence > 10 ? 10 : v->confidence;
		return lead;
	}
	v->disputed = true;
	const struct verdict_evidence *telnet = lead_of(v, true);
	if (telnet) {
		v->confidence = agreement(v, telnet);
		if (v->confidence > DISPUTED_MAX)
			v->confidence = DISPUTED_MAX;
		return telnet;
	}
	if (lead->certainty >= rival->certainty + CLEARLY_AHEAD) {
		v->confidence -= rival->certainty / 2u < v->confidence ? rival->certainty / 2u
								       : v->confidence;
		return lead;
	}
	v->confidence = 0;
	return NULL;
}

void verdict_conclude(struct verdict *v)
{
	const struct verdict_evidence *lead = lead_of(v, false);
	if (lead)
		lead = narrowed(v, lead);
	if (lead)
		lead = resolve(v, lead, rival_of(v, lead));
	if (lead) {
		memcpy(v->device, lead->device, sizeof v->device);
		v->rule = lead->rule;
		v->role = device_role(v->device);
	}
	if (!v->role[0] && v->speaks_industrial && !v->device[0])
		v->role = "unspecified";
	if (lead || !v->disputed)
		fill_details(v, lead);
	list_evidence(v, lead);
}
