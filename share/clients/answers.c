#include "share/clients/answers_inner.h"
#include "base/base64.h"
#include "base/json_scan.h"
#include <ctype.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <strings.h>

#define ID_MAX 128
#define WORD_MAX 2048

static json_t *load(struct bytes body, size_t max)
{
	return body.len && body.len <= max ? json_loadb((const char *)body.at, body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

/* A string without line ends or NULs: it becomes part of a request. */
static struct bytes word_of(const json_t *value, struct arena *arena)
{
	struct bytes word = {(const uint8_t *)json_string_value(value), json_string_length(value)};
	if (!word.at || !word.len || word.len > WORD_MAX)
		return (struct bytes){0};
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] <= ' ' || word.at[i] == 0x7f)
			return (struct bytes){0};
	word = arena_copy(arena, word);
	return word.at ? word : (struct bytes){0};
}

static void list_add(struct answer_list *list, struct bytes word)
{
	if (word.len && list->count < ANSWER_ITEMS_MAX)
		list->items[list->count++] = word;
}

static bool is_named(const char *wanted, const json_t *value)
{
	const char *text = json_string_value(value);
	for (const char *at = wanted; text; at++) {
		const size_t len = strcspn(at, ",");
		const struct bytes word = bytes_trim((struct bytes){(const uint8_t *)at, len});
		if (word.len && bytes_equal_nocase(word, text))
			return true;
		at += len;
		if (!*at)
			break;
	}
	return false;
}

static void add_collection(const json_t *c, const char *wanted, struct arena *arena, struct answer_list *list)
{
	const bool named = !wanted || !*wanted || is_named(wanted, json_object_get(c, "id")) ||
			   is_named(wanted, json_object_get(c, "alias")) || is_named(wanted, json_object_get(c, "title"));
	struct bytes id = word_of(json_object_get(c, "id"), arena);
	/* It becomes part of a path. */
	if (named && json_is_true(json_object_get(c, "can_read")) && !memchr(id.at ? id.at : (const uint8_t *)"", '/', id.len) &&
	    bytes_find(id, "..") == id.len && bytes_find(id, "?") == id.len && bytes_find(id, "#") == id.len)
		list_add(list, id);
}

enum taxii_answer taxii_read(struct bytes body, const char *wanted, struct arena *arena, struct answer_list *list)
{
	json_t *value = load(body, ANSWER_SMALL_MAX);
	const json_t *roots = json_object_get(value, "api_roots"), *all = json_object_get(value, "collections"), *it;
	enum taxii_answer kind = TAXII_UNKNOWN;
	size_t i;
	list->count = 0;
	if (json_is_array(roots)) {
		kind = TAXII_DISCOVERY;
		json_array_foreach(roots, i, it)
			list_add(list, word_of(it, arena));
	} else if (json_is_array(all)) {
		kind = TAXII_COLLECTIONS;
		json_array_foreach(all, i, it)
			add_collection(it, wanted, arena, list);
	} else if (json_object_get(value, "can_read")) {
		kind = TAXII_COLLECTION;
		add_collection(value, NULL, arena, list);
	} else if (json_is_array(json_object_get(value, "versions"))) {
		kind = TAXII_ROOT;
	} else if (json_is_object(value) && (json_object_get(value, "title") || !json_object_size(value))) {
		kind = json_object_size(value) ? TAXII_DISCOVERY : TAXII_COLLECTIONS; /* both lists may be left out */
	}
	json_decref(value);
	return kind;
}

static struct bytes unescaped(const struct json_value *v, struct arena *arena)
{
	uint8_t *room = v->raw.len && v->raw.len <= WORD_MAX ? arena_alloc(arena, v->raw.len) : NULL;
	struct writer w = writer_of(room, room ? v->raw.len : 0);
	json_unescape(v->raw, &w);
	return writer_bytes(&w);
}

int taxii_read_page(struct bytes body, struct arena *arena, struct taxii_page *page, struct fault *fault)
{
	struct json_reader r = json_of(body);
	struct json_value v;
	struct bytes name;
	*page = (struct taxii_page){0};
	if (!json_enter(&r))
		return fault_set(fault, ERR_BAD, "its page of objects is no JSON object");
	while (json_next(&r, &name)) {
		if (!json_take(&r, &v))
			break;
		if (bytes_equal_text(name, "more"))
			page->more = v.type == VALUE_TRUE;
		else if (bytes_equal_text(name, "objects"))
			page->any = v.type == VALUE_ARRAY && bytes_find(v.raw, "{") < v.raw.len;
		else if (bytes_equal_text(name, "next") && (v.type == VALUE_STRING || v.type == VALUE_NUMBER))
			page->next = v.type == VALUE_STRING ? unescaped(&v, arena) : arena_copy(arena, v.raw);
	}
	return json_ended(&r) ? 0 : fault_set(fault, ERR_BAD, "its page of objects is damaged: %s", r.why ? r.why : "more stands behind it");
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	return text[36] == '\0';
}

static uint64_t number_of(const json_t *v)
{
	uint64_t n = 0;
	if (json_is_integer(v) && json_integer_value(v) > 0)
		return (uint64_t)json_integer_value(v);
	return json_is_string(v) && bytes_number((struct bytes){(const uint8_t *)json_string_value(v), json_string_length(v)},
						 UINT32_MAX, &n) ? n : 0;
}

static int in_time(const void *a, const void *b)
{
	const struct misp_entry *x = a, *y = b;
	return x->timestamp != y->timestamp ? (x->timestamp > y->timestamp) - (x->timestamp < y->timestamp) : strcmp(x->uuid, y->uuid);
}

int misp_read_manifest(struct bytes body, struct arena *arena, struct misp_entry **out, size_t *count, struct fault *fault)
{
	json_t *value = body.len ? json_loadb((const char *)body.at, body.len, 0, NULL) : NULL, *it;
	const size_t most = json_object_size(value);
	const char *name;
	size_t n = 0;
	if (!json_is_object(value) || most > MISP_ENTRIES_MAX) {
		json_decref(value);
		return fault_set(fault, ERR_BAD, "its manifest is no JSON object of up to %d events", MISP_ENTRIES_MAX);
	}
	struct misp_entry *list = arena_alloc(arena, (most + 1) * sizeof *list);
	if (!list) {
		json_decref(value);
		return fault_set(fault, ERR_MEMORY, "no memory for a manifest of %zu events", most);
	}
	json_object_foreach(value, name, it) {
		if (!is_uuid(name))
			continue;
		memcpy(list[n].uuid, name, sizeof list[n].uuid);
		list[n++].timestamp = number_of(json_object_get(it, "timestamp"));
	}
	qsort(list, n, sizeof *list, in_time);
	json_decref(value);
	*out = list;
	*count = n;
	return 0;
}

static bool is_plain(struct bytes id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!isalnum(id.at[i]) && id.at[i] != '-' && id.at[i] != '_')
			return false;
	return id.len && id.len <= ID_MAX;
}

int shadow_read_list(struct bytes body, struct arena *arena, struct shadow_report **out, size_t *count, struct fault *fault)
{
	json_t *value = load(body, 16 * ANSWER_SMALL_MAX);
	const size_t most = json_array_size(value);
	size_t n = 0;
	if (!json_is_array(value) || most > REPORTS_MAX) {
		/* It answers with status 200 and an object {"error": …} when the signature is wrong. */
		const bool error = json_is_object(value) && json_object_get(value, "error");
		json_decref(value);
		return fault_set(fault, error ? ERR_DENIED : ERR_BAD, error ? "it refuses the request; is the key right?"
						: "its list of reports is no JSON array of up to %d", REPORTS_MAX);
	}
	struct shadow_report *list = arena_alloc(arena, (most + 1) * sizeof *list);
	for (size_t i = 0; list && i < most; i++) {
		const json_t *it = json_array_get(value, i);
		struct shadow_report r = {word_of(json_object_get(it, "id"), arena), word_of(json_object_get(it, "file"), arena)};
		if (is_plain(r.id))
			list[n++] = r;
	}
	json_decref(value);
	*out = list;
	*count = n;
	return list ? 0 : fault_set(fault, ERR_MEMORY, "no memory for %zu reports", most);
}

void shadow_sign(struct bytes secret, struct bytes body, char text[65])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned len = sizeof mac;
	HMAC(EVP_sha256(), secret.at, (int)secret.len, body.at, body.len, mac, &len);
	for (unsigned i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", mac[i]);
}

enum dnsdb_end dnsdb_ending(struct bytes body)
{
	static const struct { const char *word; enum dnsdb_end end; } ends[] = {
		{"succeeded", DNSDB_SUCCEEDED}, {"limited", DNSDB_LIMITED}, {"failed", DNSDB_FAILED}};
	struct bytes all = bytes_trim(body), name;
	const uint8_t *before = all.len ? memrchr(all.at, '\n', all.len) : NULL;
	struct bytes line = before ? (struct bytes){before + 1, (size_t)(all.at + all.len - before) - 1} : all;
	struct json_reader r = json_of(line);
	struct json_value v;
	enum dnsdb_end end = DNSDB_CUT;
	if (!json_enter(&r))
		return end;
	while (json_next(&r, &name) && json_take(&r, &v))
		for (size_t i = 0; bytes_equal_text(name, "cond") && i < 3; i++)
			if (bytes_equal_text(v.raw, ends[i].word))
				end = ends[i].end;
	return json_ended(&r) ? end : DNSDB_CUT;
}

struct bytes virustotal_next(struct bytes body, struct arena *arena)
{
	struct json_reader r = json_of(body);
	struct json_value v;
	struct bytes name, next = {0};
	if (!json_enter(&r))
		return next;
	while (json_next(&r, &name)) {
		if (!bytes_equal_text(name, "links") || json_peek(&r) != VALUE_OBJECT) {
			if (!json_take(&r, &v))
				break;
			continue;
		}
		json_enter(&r);
		while (json_next(&r, &name) && json_take(&r, &v))
			if (bytes_equal_text(name, "next") && v.type == VALUE_STRING)
				next = unescaped(&v, arena);
	}
	return json_ended(&r) ? next : (struct bytes){0};
}

struct bytes virustotal_url_id(struct bytes url, struct arena *arena)
{
	uint8_t *room = arena_alloc(arena, BASE64_ROOM(url.len) + 1);
	struct writer w = writer_of(room, room ? BASE64_ROOM(url.len) : 0);
	base64_encode(url, &w);
	struct bytes id = w.bad ? (struct bytes){0} : writer_bytes(&w);
	while (id.len && id.at[id.len - 1] == '=')
		id.len--;
	for (size_t i = 0; i < id.len; i++)
		room[i] = room[i] == '+' ? '-' : room[i] == '/' ? '_' : room[i];
	return id;
}
