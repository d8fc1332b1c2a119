/* Organisations, users, tokens and grants as JSON: for the file that keeps them, and for people. */
#include "share/access/access_inner.h"
#include "event/event.h"
#include <string.h>

static void set_text(json_t *row, const char *name, const char *value)
{
	if (*value)
		json_object_set_new(row, name, json_string(value));
}

static void set_moment(json_t *row, const char *name, uint64_t time_us)
{
	char text[TIME_TEXT_MAX];
	if (time_us)
		json_object_set_new(row, name, json_string(time_format(time_us, text)));
}

static void set_number(json_t *row, const char *name, uint64_t value)
{
	if (value)
		json_object_set_new(row, name, json_integer((json_int_t)value));
}

static void set_digest(json_t *row, const char *name, const uint8_t *digest)
{
	char text[2 * DIGEST_BYTES + 1];
	access_hex_write(digest, DIGEST_BYTES, text);
	json_object_set_new(row, name, json_string(text));
}

json_t *organisation_json(const struct access *a, const struct organisation *o)
{
	size_t users = 0, grants = 0;
	for (size_t i = 0; i < a->user_count; i++)
		users += a->users[i].organisation == o->number;
	for (size_t i = 0; i < a->grant_count; i++)
		grants += a->grants[i].organisation == o->number;
	json_t *row = json_pack("{s:s, s:I, s:b, s:I, s:I}", "name", o->name, "number", (json_int_t)o->number, "suspended",
				o->suspended, "users", (json_int_t)users, "grants", (json_int_t)grants);
	set_text(row, "title", o->title);
	set_text(row, "contact", o->contact);
	set_moment(row, "created", o->created_us);
	return row;
}

static const char *organisation_name(struct access *a, uint32_t number)
{
	const struct organisation *o = access_organisation_numbered(a, number);
	return o ? o->name : "";
}

json_t *user_json(struct access *a, const struct user *u)
{
	json_t *row = json_pack("{s:s, s:s, s:I, s:b}", "name", u->name, "organisation", organisation_name(a, u->organisation),
				"number", (json_int_t)u->organisation, "suspended", u->suspended);
	set_text(row, "remark", u->remark);
	set_moment(row, "created", u->created_us);
	return row;
}

static json_t *networks_json(const struct token *t)
{
	char text[ADDRESS_TEXT_MAX];
	json_t *list = json_array();
	for (size_t i = 0; i < t->networks_count; i++)
		json_array_append_new(list, json_string(prefix_format(&t->networks[i], text)));
	return list;
}

static json_t *collections_json(const struct token *t)
{
	json_t *list = json_array();
	for (size_t i = 0; i < TOKEN_COLLECTIONS_MAX && *t->collections[i]; i++)
		json_array_append_new(list, json_string(t->collections[i]));
	return list;
}

json_t *token_json(struct access *a, const struct token *t, bool shown)
{
	char from[ADDRESS_TEXT_MAX];
	json_t *row = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:o}", "id", t->id, "organisation",
				organisation_name(a, t->organisation), "user", t->user, "number", (json_int_t)t->organisation, "kind",
				t->is_certificate ? "certificate" : "secret", "scope", access_rights_word(t->scopes), "networks",
				networks_json(t), "collections", collections_json(t));
	set_text(row, "remark", t->remark);
	set_moment(row, "created", t->created_us);
	set_moment(row, "expires", t->expires_us);
	set_moment(row, "revoked", t->revoked_us);
	set_moment(row, "used", t->used_us);
	if (t->used_us)
		set_text(row, "used_from", address_format(&t->used_from, from));
	if (!shown || t->is_certificate)
		set_digest(row, "sha256", t->digest);
	if (t->is_bound)
		set_digest(row, "bound", t->bound);
	return row;
}

json_t *grant_json(const struct held_grant *h)
{
	const struct grant *g = &h->grant;
	json_t *row = json_pack("{s:s, s:s, s:I, s:s, s:s}", "organisation", g->organisation, "collection", g->collection, "number",
				(json_int_t)h->organisation, "rights", access_rights_word(g->rights), "tlp", tlp_name(g->tlp_max));
	set_text(row, "policy", g->policy);
	set_moment(row, "from", g->from_us);
	set_moment(row, "to", g->to_us);
	set_number(row, "last_s", g->last_us / 1000000);
	set_number(row, "delay_s", g->delay_us / 1000000);
	set_moment(row, "expires", g->expires_us);
	set_number(row, "per_minute", g->per_minute);
	return row;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));
	return text ? text : "";
}

/* A time as text; empty or absent: the one that is there stays. */
static int moment(const json_t *o, const char *name, uint64_t *out, struct fault *fault)
{
	const char *text = text_of(o, name);
	if (!*text)
		return 0;
	if (!strcmp(text, "never") || !strcmp(text, "open")) {
		*out = 0;
		return 0;
	}
	return time_parse(bytes_of_text(text), out)
		       ? 0
		       : fault_set(fault, ERR_BAD, "%s: \"%.60s\" is not a time such as 2026-04-01 or 2026-04-01T12:00:00Z", name, text);
}

static int count(const json_t *o, const char *name, uint64_t max, uint64_t unit, uint64_t *out, struct fault *fault)
{
	const json_t *n = json_object_get(o, name);
	if (!n)
		return 0;
	if (!json_is_integer(n) || json_integer_value(n) < 0 || (uint64_t)json_integer_value(n) > max)
		return fault_set(fault, ERR_BAD, "%s: not a number from 0 to %llu", name, (unsigned long long)max);
	*out = (uint64_t)json_integer_value(n) * unit;
	return 0;
}

static int digest(const json_t *o, const char *name, uint8_t *out, bool *is, struct fault *fault)
{
	const char *text = text_of(o, name);
	if (!*text)
		return 0;
	*is = access_hex_read(text, out, DIGEST_BYTES);
	return *is ? 0 : fault_set(fault, ERR_BAD, "%s: \"%.80s\" is no SHA-256 of 64 hexadecimal digits", name, text);
}

static int networks(const json_t *o, struct token *t, struct fault *fault)
{
	const json_t *list = json_object_get(o, "networks"), *item;
	size_t i;
	if (json_array_size(list) > TOKEN_NETWORKS_MAX)
		return fault_set(fault, ERR_FULL, "a token can have %d networks", TOKEN_NETWORKS_MAX);
	json_array_foreach(list, i, item) {
		const char *text = json_is_string(item) ? json_string_value(item) : "";
		if (!prefix_parse(bytes_of_text(text), &t->networks[i]))
			return fault_set(fault, ERR_BAD, "networks: \"%.60s\" is no address or prefix", text);
	}
	t->networks_count = list ? json_array_size(list) : t->networks_count;
	return 0;
}

static int collections(const json_t *o, struct token *t, struct fault *fault)
{
	const json_t *list = json_object_get(o, "collections"), *item;
	size_t i;
	if (json_array_size(list) > TOKEN_COLLECTIONS_MAX)
		return fault_set(fault, ERR_FULL, "a token can be for %d collections", TOKEN_COLLECTIONS_MAX);
	json_array_foreach(list, i, item) {
		const char *text = json_is_string(item) ? json_string_value(item) : "";
		if (!*text || !bytes_copy_text(bytes_of_text(text), t->collections[i], sizeof t->collections[i]))
			return fault_set(fault, ERR_BAD, "collections: \"%.60s\" is no name", text);
	}
	return 0;
}

static int rights(const json_t *o, const char *name, unsigned *out, struct fault *fault)
{
	const char *text = text_of(o, name);
	const unsigned rights = *text ? access_rights_read(text) : *out;
	if (!rights)
		return fault_set(fault, ERR_BAD, "%s: \"%.40s\" is none of read, write and read,write", name, text);
	*out = rights;
	return 0;
}

int token_fill(const json_t *o, struct token *t, uint64_t now_us, struct fault *fault)
{
	bool is_certificate = false;
	int bad = rights(o, "scope", &t->scopes, fault);
	bad = bad ? bad : moment(o, "expires", &t->expires_us, fault);
	bad = bad ? bad : networks(o, t, fault);
	bad = bad ? bad : collections(o, t, fault);
	bad = bad ? bad : digest(o, "certificate", t->digest, &is_certificate, fault);
	bad = bad ? bad : digest(o, "bound", t->bound, &t->is_bound, fault);
	t->is_certificate |= is_certificate;
	if (!bad && now_us && t->expires_us && t->expires_us <= now_us)
		bad = fault_set(fault, ERR_BAD, "expires: \"%.60s\" is in the past", text_of(o, "expires"));
	if (!bad && !bytes_copy_text(bytes_of_text(text_of(o, "remark")), t->remark, sizeof t->remark))
		bad = fault_set(fault, ERR_BAD, "remark: more than %d bytes", REMARK_MAX);
	return bad;
}

int grant_fill(const json_t *o, struct grant *g, uint64_t now_us, struct fault *fault)
{
	const char *tlp = text_of(o, "tlp"), *policy = text_of(o, "policy");
	int bad = rights(o, "rights", &g->rights, fault);
	if (!bad && *tlp && !tlp_read(bytes_of_text(tlp), &g->tlp_max))
		bad = fault_set(fault, ERR_BAD, "tlp: \"%.40s\" is none of clear, green, amber, amber+strict and red", tlp);
	if (!bad && *policy && !bytes_copy_text(bytes_of_text(policy), g->policy, sizeof g->policy))
		bad = fault_set(fault, ERR_BAD, "policy: the name is too long");
	bad = bad ? bad : moment(o, "from", &g->from_us, fault);
	bad = bad ? bad : moment(o, "to", &g->to_us, fault);
	bad = bad ? bad : moment(o, "expires", &g->expires_us, fault);
	bad = bad ? bad : count(o, "last_s", UINT32_MAX, 1000000, &g->last_us, fault);
	bad = bad ? bad : count(o, "delay_s", UINT32_MAX, 1000000, &g->delay_us, fault);
	bad = bad ? bad : count(o, "per_minute", 1000000, 1, &g->per_minute, fault);
	if (!bad && g->to_us && g->to_us <= g->from_us)
		bad = fault_set(fault, ERR_BAD, "from and to: nothing lies between them");
	if (!bad && now_us && g->expires_us && g->expires_us <= now_us)
		bad = fault_set(fault, ERR_BAD, "expires: \"%.60s\" is in the past", text_of(o, "expires"));
	return bad;
}
