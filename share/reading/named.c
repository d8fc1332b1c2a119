#include "share/reading/named_inner.h"
#include "base/address.h"
#include "event/hosts.h"
#include "event/indicator.h"
#include <ctype.h>
#include <string.h>

#define HOST_MAX 253 /* RFC 1035 2.3.4, without the root's dot */
#define PORT_LAST 65535
#define PREFIX_WHOLE 128

static bool is_hex(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (!isxdigit(b.at[i]))
			return false;
	return b.len > 0;
}

static bool has_control(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= ' ' || b.at[i] == 0x7f)
			return true;
	return false;
}

/* In small letters, in the arena. */
static struct bytes lowered(struct intake *in, struct bytes b)
{
	uint8_t *room = arena_alloc(intake_arena(in), b.len);
	for (size_t i = 0; room && i < b.len; i++)
		room[i] = (uint8_t)tolower(b.at[i]);
	return (struct bytes){room, room ? b.len : 0};
}

static bool is_host(struct bytes b)
{
	size_t dots = 0;
	if (!b.len || b.len > HOST_MAX || b.at[0] == '.')
		return false;
	for (size_t i = 0; i < b.len; i++) {
		bool dot = b.at[i] == '.';
		/* Names beyond ASCII stand in lists as they are, and underscores in names of services. */
		if (!dot && !isalnum(b.at[i]) && b.at[i] != '-' && b.at[i] != '_' && b.at[i] < 0x80)
			return false;
		if (dot && i && b.at[i - 1] == '.')
			return false;
		dots += dot;
	}
	return dots > 0;
}

static const char *keep(struct intake *in, struct record *r, const char *type, struct bytes value)
{
	if (value.len > RECORD_VALUE_MAX)
		return "is too long";
	struct bytes copy = arena_copy(intake_arena(in), value);
	if (!copy.at)
		return "finds no memory";
	r->type = type;
	r->value = copy;
	return NULL;
}

static const char *set_address(struct intake *in, struct record *r, const struct address *a, uint64_t port)
{
	char text[ADDRESS_TEXT_MAX], whole[ADDRESS_TEXT_MAX + 10];
	address_format(a, text);
	if (port)
		snprintf(whole, sizeof whole, address_is_v4(a) ? "%s:%u" : "[%s]:%u", text, (unsigned)port);
	const char *wrong = keep(in, r, port ? "endpoint" : "address", bytes_of_text(port ? whole : text));
	if (wrong)
		return wrong;
	r->address = *a;
	r->has_address = true;
	r->port = (uint32_t)port;
	return NULL;
}

static const char *set_prefix(struct intake *in, struct record *r, struct bytes value)
{
	struct prefix p;
	char text[ADDRESS_TEXT_MAX];
	if (!prefix_parse(value, &p))
		return "is no address";
	return p.bits == PREFIX_WHOLE ? set_address(in, r, &p.base, 0)
				      : keep(in, r, "network", bytes_of_text(prefix_format(&p, text)));
}

/* The last colon parts, since lists write IPv6 without brackets. */
static bool split_port(struct bytes value, struct bytes *host, uint64_t *port)
{
	const uint8_t *colon = value.len ? memrchr(value.at, ':', value.len) : NULL;
	if (!colon)
		return false;
	*host = (struct bytes){value.at, (size_t)(colon - value.at)};
	struct bytes digits = {colon + 1, value.len - host->len - 1};
	if (host->len >= 2 && host->at[0] == '[' && host->at[host->len - 1] == ']')
		*host = (struct bytes){host->at + 1, host->len - 2};
	return bytes_number(digits, PORT_LAST, port) && *port;
}

static const char *set_endpoint(struct intake *in, struct record *r, struct bytes value)
{
	struct bytes host;
	struct address a;
	uint64_t port;
	if (!split_port(value, &host, &port))
		return address_parse(value, &a) ? set_address(in, r, &a, 0) : "is no address with a port";
	if (address_parse(host, &a))
		return set_address(in, r, &a, port);
	if (!is_host(host))
		return "is no address with a port";
	const char *wrong = keep(in, r, "endpoint", lowered(in, value));
	if (!wrong)
		r->port = (uint32_t)port;
	return wrong;
}

static const char *set_domain(struct intake *in, struct record *r, struct bytes value)
{
	struct address a;
	if (value.len && value.at[value.len - 1] == '.')
		value.len--;
	if (address_parse(value, &a)) /* hosts of URLs are addresses as often as names */
		return set_address(in, r, &a, 0);
	return is_host(value) ? keep(in, r, "domain", lowered(in, value)) : "is no name of a host";
}

static const char *set_url(struct intake *in, struct record *r, struct bytes value)
{
	size_t begin = bytes_find(value, "://");
	if (begin == value.len || !begin)
		return "is no URL";
	const char *wrong = keep(in, r, "url", value);
	const struct indicator url = {.type = INDICATOR_URL, .value = value};
	if (!wrong)
		r->has_address = indicator_address(&url, &r->address, &r->port);
	return wrong;
}

static const char *set_hash(struct intake *in, struct record *r, struct bytes value)
{
	bool known = value.len == 32 || value.len == 40 || value.len == 64 || value.len == 128;
	return known && is_hex(value) ? keep(in, r, "hash", lowered(in, value)) : "is no MD5, SHA-1, SHA-256 or SHA-512 in hex";
}

static const char *set_mail(struct intake *in, struct record *r, struct bytes value)
{
	const uint8_t *at = value.len ? memrchr(value.at, '@', value.len) : NULL;
	bool fine = at && at > value.at && at + 1 < value.at + value.len && !has_control(value);
	return fine ? keep(in, r, "mail", value) : "is no address of mail";
}

const char *named_set(struct intake *in, struct record *r, enum named as, struct bytes value)
{
	struct address a;
	value = bytes_trim(value);
	switch (as) {
	case NAMED_ADDRESS:
		return address_parse(value, &a) ? set_address(in, r, &a, 0) : set_prefix(in, r, value);
	case NAMED_ENDPOINT:
		return set_endpoint(in, r, value);
	case NAMED_DOMAIN:
		return set_domain(in, r, value);
	case NAMED_URL:
		return set_url(in, r, value);
	case NAMED_HASH:
		return set_hash(in, r, value);
	case NAMED_MAIL:
		return set_mail(in, r, value);
	case NAMED_AGENT:
		return value.len ? keep(in, r, "agent", value) : "is empty";
	case NAMED_WALLET:
		return value.len ? keep(in, r, "wallet", value) : "is empty";
	case NAMED_MUTEX:
		return value.len ? keep(in, r, "mutex", value) : "is empty";
	case NAMED_PATH:
		return value.len ? keep(in, r, "path", value) : "is empty";
	case NAMED_NOTHING:
		break;
	}
	return "is nothing that has a type here";
}

const char *named_set_at(struct intake *in, struct record *r, struct bytes address, uint64_t port)
{
	struct address a;
	if (port > PORT_LAST)
		return "has a port above 65535";
	if (!address_parse(bytes_trim(address), &a))
		return "is no address";
	return set_address(in, r, &a, port);
}

enum named named_guess(struct bytes value)
{
	struct prefix p;
	struct bytes host;
	uint64_t port;
	value = bytes_trim(value);
	if (bytes_find(value, "://") < value.len)
		return NAMED_URL;
	if (prefix_parse(value, &p))
		return NAMED_ADDRESS;
	if (is_hex(value) && (value.len == 32 || value.len == 40 || value.len == 64 || value.len == 128))
		return NAMED_HASH;
	if (memchr(value.at ? value.at : (const uint8_t *)"", '@', value.len))
		return NAMED_MAIL;
	if (split_port(value, &host, &port))
		return NAMED_ENDPOINT;
	return is_host(value) ? NAMED_DOMAIN : NAMED_NOTHING;
}
