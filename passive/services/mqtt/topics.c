#include "passive/services/mqtt/topics.h"
#include "base/random.h"

bool topic_is_name(struct bytes t)
{
	return t.len && t.len < TOPIC_BYTES_MAX && !memchr(t.at, '+', t.len) && !memchr(t.at, '#', t.len) &&
	       !memchr(t.at, 0, t.len);
}

bool topic_is_filter(struct bytes t)
{
	if (!t.len || memchr(t.at, 0, t.len))
		return false;
	for (size_t i = 0; i < t.len; i++) {
		bool begins = i == 0 || t.at[i - 1] == '/', ends = i + 1 == t.len || t.at[i + 1] == '/';
		if (t.at[i] == '+' && !(begins && ends))
			return false;
		if (t.at[i] == '#' && !(begins && i + 1 == t.len))
			return false;
	}
	return true;
}

/* One level of each, up to a slash; what is behind it stays. */
static struct bytes level(struct bytes *t, bool *more)
{
	const uint8_t *slash = t->len ? memchr(t->at, '/', t->len) : NULL;
	struct bytes part = {t->at, slash ? (size_t)(slash - t->at) : t->len};
	*more = slash != NULL;
	*t = (struct bytes){t->at + part.len + (slash != NULL), t->len - part.len - (slash != NULL)};
	return part;
}

bool topic_matches(struct bytes filter, struct bytes name)
{
	/* Wildcards at the front leave out the broker's own topics (4.7.2). */
	if (name.len && name.at[0] == '$' && filter.len && filter.at[0] != '$')
		return false;
	for (bool more = true, deeper = true; more || deeper;) {
		if (!more)
			return false;
		struct bytes want = level(&filter, &more);
		if (bytes_equal_text(want, "#"))
			return true;
		if (!deeper)
			return false;
		struct bytes is = level(&name, &deeper);
		if (!bytes_equal_text(want, "+") && !bytes_equal(want, is))
			return false;
		/* "a/#" also means "a" itself. */
		if (more && !deeper)
			return bytes_equal_text(filter, "#");
	}
	return true;
}

/* A figure a broker of that age may show: it grows with time at a rate of the device's own. */
static void counter(const struct topic_moment *t, unsigned i, uint64_t uptime_s, char *message)
{
	uint64_t rate = random_mix(t->seed + i) % 40 + 1;
	snprintf(message, 512, "%llu", (unsigned long long)(uptime_s * rate / 60 + rate));
}

bool broker_topic(const struct topic_moment *t, unsigned i, char topic[TOPIC_BYTES_MAX], char message[512])
{
	static const char *const gauges[] = {"clients/total", "clients/inactive", "clients/disconnected", "clients/active",
					     "clients/connected", "clients/expired"};
	static const char *const counters[] = {"messages/received", "messages/sent", "publish/messages/received",
					       "publish/messages/sent", "publish/bytes/received", "publish/bytes/sent",
					       "bytes/received", "bytes/sent"};
	enum { GAUGES = sizeof gauges / sizeof *gauges, COUNTERS = sizeof counters / sizeof *counters };
	/* It was started within the last month. */
	uint64_t uptime_s = t->time_us / 1000000 % (86400 * 30) + random_mix(t->seed) % 86400;
	if (i == 0) {
		snprintf(topic, TOPIC_BYTES_MAX, "$SYS/broker/version");
		snprintf(message, 512, "%s", t->version);
	} else if (i == 1) {
		snprintf(topic, TOPIC_BYTES_MAX, "$SYS/broker/uptime");
		snprintf(message, 512, "%llu seconds", (unsigned long long)uptime_s);
	} else if (i < 2 + GAUGES) {
		snprintf(topic, TOPIC_BYTES_MAX, "$SYS/broker/%s", gauges[i - 2]);
		bool none = i == 3 || i == 4 || i == 7;
		snprintf(message, 512, "%u", none ? 0 : (unsigned)(random_mix(t->seed) % 7 + 1));
	} else if (i < 2 + GAUGES + COUNTERS) {
		snprintf(topic, TOPIC_BYTES_MAX, "$SYS/broker/%s", counters[i - 2 - GAUGES]);
		counter(t, i, uptime_s, message);
	} else {
		return false;
	}
	return true;
}
