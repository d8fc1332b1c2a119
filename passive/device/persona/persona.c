/* Asking a persona: what it accepts, what it looks like at one address, its pages. */
#include "passive/persona.h"
#include "base/random.h"
#include "passive/device/bait/bait.h"
#include <time.h>

#define UPTIME_DAYS_MAX 60
#define DAY_S 86400u
#define NAME_MAX_BYTES 48 /* of a name with its brackets */

static uint64_t hash_bytes(uint64_t h, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		h = (h ^ b.at[i]) * 0x100000001b3u; /* FNV-1a; mixed at the end */
	return random_mix(h ^ b.len);
}

bool persona_accepts(const struct persona *p, uint64_t device_seed, struct bytes user,
                     struct bytes secret)
{
	for (size_t i = 0; i < p->credential_count; i++)
		if (bytes_equal(user, p->credentials[i].user) &&
		    bytes_equal(secret, p->credentials[i].secret))
			return true;
	if (p->accept_one_in == 0 || user.len == 0)
		return false;
	return hash_bytes(hash_bytes(device_seed, user), secret) % p->accept_one_in == 0;
}

bool persona_has_applet(const struct persona *p, struct bytes name)
{
	for (size_t i = 0; i < p->missing_count; i++)
		if (bytes_equal_text(name, p->missing[i]))
			return false;
	return true;
}

void persona_look(const struct persona *p, uint64_t device_seed, const struct address *local,
                  uint64_t time_us, struct persona_look *out)
{
	uint64_t mixed = random_mix(device_seed), again = random_mix(mixed);
	*out = (struct persona_look){.persona = p, .seed = device_seed, .time_us = time_us};
	snprintf(out->mac, sizeof out->mac, "%.8s:%02X:%02X:%02X", p->mac_prefix,
	         (unsigned)(mixed & 255), (unsigned)(mixed >> 8 & 255),
	         (unsigned)(mixed >> 16 & 255));
	snprintf(out->serial, sizeof out->serial, "%016llx", (unsigned long long)again);
	out->local = *local;
	address_format(local, out->address);
	/* Booted at one moment in every stretch of some weeks: it only grows, then starts anew. */
	uint64_t period_s = (7 + mixed % (UPTIME_DAYS_MAX - 7)) * DAY_S;
	out->uptime_s = (uint32_t)((time_us / 1000000 + again % period_s) % period_s + 3600);
	struct writer w = writer_of(out->hostname, sizeof out->hostname - 1);
	persona_expand(out, bytes_of_text(p->hostname), &w);
}

static void expand_date(const struct persona_look *k, struct writer *w)
{
	time_t now = (time_t)(k->time_us / 1000000);
	struct tm tm;
	char text[64];
	if (gmtime_r(&now, &tm) && strftime(text, sizeof text, "%a %b %e %H:%M:%S UTC %Y", &tm))
		write_text(w, text);
}

static void expand_number(struct writer *w, uint64_t v)
{
	write_fmt(w, "%llu", (unsigned long long)v);
}

static bool expand_name(const struct persona_look *k, struct bytes name, struct bytes text, struct writer *w)
{
	const struct persona *p = k->persona;
	if (bytes_start_with(name, "bait."))
		return bait_expand(p->bait, p, &k->local, text, (struct bytes){name.at + 5, name.len - 5}, w);
	const struct {
		const char *name, *text;
	} texts[] = {
	        {"hostname", k->hostname},
	        {"mac", k->mac},
	        {"serial", k->serial},
	        {"address", k->address},
	        {"kernel", p->kernel},
	        {"kernel_build", p->kernel_build},
	        {"machine", p->machine},
	        {"busybox", p->busybox},
	        {"busybox_date", p->busybox_date},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (bytes_equal_text(name, texts[i].name)) {
			write_text(w, texts[i].text);
			return true;
		}
	if (bytes_equal_text(name, "serial6"))
		write_fmt(w, "%.6s", k->serial);
	else if (bytes_equal_text(name, "uptime"))
		expand_number(w, k->uptime_s);
	else if (bytes_equal_text(name, "boot"))
		expand_number(w, k->time_us / 1000000 - k->uptime_s);
	else if (bytes_equal_text(name, "memory"))
		write_fmt(w, "%8u", p->memory_kb);
	else if (bytes_equal_text(name, "date"))
		expand_date(k, w);
	else if (bytes_equal_text(name, "random"))
		write_fmt(w, "%016llx", (unsigned long long)random_mix(k->seed ^ k->time_us));
	else
		return false;
	return true;
}

void persona_expand(const struct persona_look *k, struct bytes text, struct writer *w)
{
	const struct bytes whole = text;
	while (text.len) {
		size_t at = bytes_find(text, "%{");
		write_bytes(w, text.at, at);
		text.at += at;
		text.len -= at;
		if (text.len == 0)
			return;
		const uint8_t *end = memchr(text.at, '}', text.len < NAME_MAX_BYTES ? text.len : NAME_MAX_BYTES);
		size_t n = end ? (size_t)(end - text.at) + 1 : 2;
		if (!end || !expand_name(k, (struct bytes){text.at + 2, n - 3}, whole, w))
			write_bytes(w, text.at, n);
		text.at += n;
		text.len -= n;
	}
}

static bool page_fits(const char *pattern, struct bytes path)
{
	size_t n = strlen(pattern);
	if (n && pattern[n - 1] == '*')
		return path.len >= n - 1 && !memcmp(path.at, pattern, n - 1);
	return path.len == n && !memcmp(path.at, pattern, n);
}

const struct persona_page *persona_page(const struct persona *p, struct bytes method,
                                        struct bytes path)
{
	const struct persona_page *best = NULL;
	for (size_t i = 0; i < p->http.page_count; i++) {
		const struct persona_page *page = &p->http.pages[i];
		if (!page_fits(page->path, path) ||
		    (page->method && !bytes_equal_text(method, page->method)))
			continue;
		/* The longest decides; an exact one before one that is as long without its star. */
		size_t n = strlen(page->path), m = best ? strlen(best->path) : 0;
		bool star = n && page->path[n - 1] == '*', best_star = m && best->path[m - 1] == '*';
		if (!best || n - star > m - best_star || (n - star == m - best_star && best_star && !star))
			best = page;
	}
	return best;
}

const struct persona *persona_named(const struct persona_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->items[i]->name, name))
			return set->items[i];
	return NULL;
}

const struct persona_service *persona_service(const struct persona *p, const struct service *service)
{
	for (size_t i = 0; i < p->service_count; i++)
		if (p->services[i].service == service)
			return &p->services[i];
	return NULL;
}

bool persona_has_port(const struct persona *p, const struct service *service, uint16_t port, bool secure)
{
	const struct persona_service *s = persona_service(p, service);
	const uint64_t *ports = !s ? NULL : secure ? s->secure_ports : s->ports;
	size_t count = !s ? 0 : secure ? s->secure_port_count : s->port_count;
	for (size_t i = 0; i < count; i++)
		if (ports[i] == port)
			return true;
	return false;
}

const struct persona *persona_for_class(const struct persona_set *set, const char *device_class)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t c = 0; c < set->items[i]->class_count; c++)
			if (!strcasecmp(set->items[i]->classes[c], device_class))
				return set->items[i];
	return NULL;
}

void persona_set_done(struct persona_set *set)
{
	arena_done(&set->arena);
	set->count = 0;
}
