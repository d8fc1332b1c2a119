/*
 * The tables, and the file that keeps them: one JSON object, written beside the old one and put in its place.
 * What is wrong in it stops the exchange; nobody is let in by a guess.
 */
#include "share/access/access_inner.h"
#include "event/event.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRESH_FILE ACCESS_FILE ".new"

int access_room(void **rows, size_t count, size_t max, size_t row_bytes, const char *what, struct fault *fault)
{
	if (count >= max)
		return fault_set(fault, ERR_FULL, "there are %zu %s, as many as there may be", count, what);
	if (count & (count - 1) && count)
		return 0; /* room is doubled: there is some unless the count is a power of two */
	void *more = realloc(*rows, (count ? 2 * count : 1) * row_bytes);
	if (!more)
		return fault_set(fault, ERR_MEMORY, "no memory for one more of %s", what);
	*rows = more;
	return 0;
}

struct organisation *access_organisation(struct access *a, const char *name)
{
	struct organisation *found = NULL;
	for (size_t i = 0; i < a->organisation_count; i++)
		found = strcmp(a->organisations[i].name, name) ? found : &a->organisations[i];
	return found;
}

struct organisation *access_organisation_numbered(struct access *a, uint32_t number)
{
	struct organisation *found = NULL;
	for (size_t i = 0; i < a->organisation_count; i++)
		found = a->organisations[i].number == number ? &a->organisations[i] : found;
	return found;
}

struct user *access_user(struct access *a, uint32_t organisation, const char *name)
{
	struct user *found = NULL;
	for (size_t i = 0; i < a->user_count; i++)
		found = ((a->users[i].organisation == organisation) & !strcmp(a->users[i].name, name)) ? &a->users[i] : found;
	return found;
}

struct token *access_token(struct access *a, const char *id)
{
	struct token *found = NULL;
	for (size_t i = 0; i < a->token_count; i++)
		found = strcmp(a->tokens[i].id, id) ? found : &a->tokens[i];
	return found;
}

struct held_grant *access_grant(struct access *a, uint32_t organisation, const char *collection)
{
	struct held_grant *found = NULL;
	for (size_t i = 0; i < a->grant_count; i++)
		found = ((a->grants[i].organisation == organisation) & !strcmp(a->grants[i].grant.collection, collection))
				? &a->grants[i] : found;
	return found;
}

void access_index(struct access *a)
{
	struct token_key *keys = realloc(a->keys, (a->token_count ? a->token_count : 1) * sizeof *keys);
	a->keys = keys ? keys : a->keys;
	a->key_count = keys ? a->token_count : 0;
	for (size_t i = 0; i < a->key_count; i++) {
		memcpy(keys[i].digest, a->tokens[i].digest, DIGEST_BYTES);
		keys[i].is_certificate = a->tokens[i].is_certificate;
	}
}

bool access_hex_read(const char *text, uint8_t *out, size_t len)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++) {
		const char *digit = strchr(digits, text[i]);
		if (!digit)
			return false;
		const uint8_t value = (digit - digits) & 15;
		out[i / 2] = i % 2 ? (uint8_t)(out[i / 2] | value) : (uint8_t)(value << 4);
	}
	return true;
}

void access_hex_write(const uint8_t *from, size_t len, char *text)
{
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", from[i]);
}

unsigned access_rights_read(const char *word)
{
	for (unsigned rights = ACCESS_READ; rights <= (ACCESS_READ | ACCESS_WRITE); rights++)
		if (!strcmp(word, access_rights_word(rights)))
			return rights;
	return 0;
}

const char *access_rights_word(unsigned rights)
{
	static const char *const words[] = {"", "read", "write", "read,write"};
	return words[rights & (ACCESS_READ | ACCESS_WRITE)];
}

static bool name_of(const json_t *row, const char *key, char out[ACCESS_NAME_MAX + 1])
{
	const char *text = json_string_value(json_object_get(row, key));
	return text && *text && bytes_copy_text(bytes_of_text(text), out, ACCESS_NAME_MAX + 1);
}

static void remark_of(const json_t *row, const char *key, char out[REMARK_MAX + 1])
{
	const char *text = json_string_value(json_object_get(row, key));
	if (text)
		bytes_copy_text(bytes_of_text(text), out, REMARK_MAX + 1);
}

static uint64_t moment_of(const json_t *row, const char *key)
{
	uint64_t time_us = 0;
	const char *text = json_string_value(json_object_get(row, key));
	return text && time_parse(bytes_of_text(text), &time_us) ? time_us : 0;
}

/* Who was shut out stays so, whatever became of the moment. */
static uint64_t revoked_of(const json_t *row)
{
	const uint64_t time_us = moment_of(row, "revoked");
	return time_us || !json_object_get(row, "revoked") ? time_us : 1;
}

static uint32_t number_of(const json_t *row) { return (uint32_t)json_integer_value(json_object_get(row, "number")); }

static int organisation_load(struct access *a, const json_t *row, struct fault *fault)
{
	struct organisation o = {.number = number_of(row), .created_us = moment_of(row, "created"),
				 .suspended = json_is_true(json_object_get(row, "suspended"))};
	int bad = access_room((void **)&a->organisations, a->organisation_count, ORGANISATIONS_MAX, sizeof o, "organisations", fault);
	if (!bad && (!name_of(row, "name", o.name) || !o.number || o.number > a->last_number))
		bad = fault_set(fault, ERR_BAD, ACCESS_FILE ": an organisation without name or number");
	remark_of(row, "title", o.title);
	remark_of(row, "contact", o.contact);
	if (!bad)
		a->organisations[a->organisation_count++] = o;
	return bad;
}

static int user_load(struct access *a, const json_t *row, struct fault *fault)
{
	struct user u = {.organisation = number_of(row), .created_us = moment_of(row, "created"),
			 .suspended = json_is_true(json_object_get(row, "suspended"))};
	int bad = access_room((void **)&a->users, a->user_count, USERS_MAX, sizeof u, "users", fault);
	if (!bad && !name_of(row, "name", u.name))
		bad = fault_set(fault, ERR_BAD, ACCESS_FILE ": a user without name");
	remark_of(row, "remark", u.remark);
	if (!bad)
		a->users[a->user_count++] = u;
	return bad;
}

static int token_load(struct access *a, const json_t *row, struct fault *fault)
{
	struct token t = {.organisation = number_of(row), .created_us = moment_of(row, "created"), .revoked_us = revoked_of(row),
			  .used_us = moment_of(row, "used")};
	const char *id = json_string_value(json_object_get(row, "id")), *digest = json_string_value(json_object_get(row, "sha256"));
	const char *from = json_string_value(json_object_get(row, "used_from")), *kind = json_string_value(json_object_get(row, "kind"));
	int bad = access_room((void **)&a->tokens, a->token_count, TOKENS_MAX, sizeof t, "tokens", fault);
	bad = bad ? bad : token_fill(row, &t, 0, fault);
	if (!bad && (!name_of(row, "user", t.user) || !id || !bytes_copy_text(bytes_of_text(id), t.id, sizeof t.id) || !digest ||
		     !access_hex_read(digest, t.digest, DIGEST_BYTES)))
		bad = fault_set(fault, ERR_BAD, ACCESS_FILE ": a token without user, id or digest");
	t.is_certificate = kind && !strcmp(kind, "certificate");
	if (from && !address_parse(bytes_of_text(from), &t.used_from))
		t.used_from = (struct address){0};
	if (!bad)
		a->tokens[a->token_count++] = t;
	return bad;
}

static int grant_load(struct access *a, const json_t *row, struct fault *fault)
{
	struct held_grant h = {.organisation = number_of(row)};
	int bad = access_room((void **)&a->grants, a->grant_count, GRANTS_MAX, sizeof h, "grants", fault);
	bad = bad ? bad : grant_fill(row, &h.grant, 0, fault);
	if (!bad && (!name_of(row, "organisation", h.grant.organisation) || !name_of(row, "collection", h.grant.collection)))
		bad = fault_set(fault, ERR_BAD, ACCESS_FILE ": a grant without organisation or collection");
	if (!bad)
		a->grants[a->grant_count++] = h;
	return bad;
}

typedef int load_row(struct access *, const json_t *row, struct fault *);

static int tables_load(struct access *a, const json_t *all, struct fault *fault)
{
	static const struct {
		const char *name;
		load_row *load;
	} tables[] = {
		{"organisations", organisation_load}, {"users", user_load}, {"tokens", token_load}, {"grants", grant_load},
	};
	int bad = 0;
	a->last_number = (uint32_t)json_integer_value(json_object_get(all, "last_number"));
	for (size_t i = 0; i < sizeof tables / sizeof *tables && !bad; i++) {
		const json_t *row, *rows = json_object_get(all, tables[i].name);
		size_t at;
		if (!json_is_array(rows))
			return fault_set(fault, ERR_BAD, ACCESS_FILE ": it has no \"%s\"", tables[i].name);
		json_array_foreach(rows, at, row)
			bad = bad ? bad : tables[i].load(a, row, fault);
	}
	return bad;
}

int access_load(struct access *a, struct fault *fault)
{
	json_error_t why;
	const int fd = openat(a->about.directory, ACCESS_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : fault_set(fault, ERR_SYSTEM, ACCESS_FILE ": %s", strerror(errno));
	json_t *all = json_loadfd(fd, 0, &why);
	int bad = all ? tables_load(a, all, fault) : fault_set(fault, ERR_BAD, ACCESS_FILE ": line %d: %s", why.line, why.text);
	json_decref(all);
	close(fd);
	access_index(a);
	return bad;
}

static json_t *tables_json(struct access *a)
{
	json_t *organisations = json_array(), *users = json_array(), *tokens = json_array(), *grants = json_array();
	for (size_t i = 0; i < a->organisation_count; i++)
		json_array_append_new(organisations, organisation_json(a, &a->organisations[i]));
	for (size_t i = 0; i < a->user_count; i++)
		json_array_append_new(users, user_json(a, &a->users[i]));
	for (size_t i = 0; i < a->token_count; i++)
		json_array_append_new(tokens, token_json(a, &a->tokens[i], false));
	for (size_t i = 0; i < a->grant_count; i++)
		json_array_append_new(grants, grant_json(&a->grants[i]));
	return json_pack("{s:I, s:o, s:o, s:o, s:o}", "last_number", (json_int_t)a->last_number, "organisations", organisations, "users",
			 users, "tokens", tokens, "grants", grants);
}

int access_keep(struct access *a, uint64_t now_us)
{
	json_t *all = tables_json(a);
	const int fd = openat(a->about.directory, FRESH_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const bool kept = all && fd >= 0 && json_dumpfd(all, fd, JSON_INDENT(1)) == 0 && fsync(fd) == 0 &&
			  renameat(a->about.directory, FRESH_FILE, a->about.directory, ACCESS_FILE) == 0 &&
			  fsync(a->about.directory) == 0;
	if (fd >= 0)
		close(fd);
	json_decref(all);
	/* Tried again after a while, not at every request. */
	a->kept_us = now_us;
	a->used_unkept = a->used_unkept && !kept;
	return kept ? 0 : ERR_SYSTEM;
}
