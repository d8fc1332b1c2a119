/*
 * TAXII 2.1 (OASIS, 2021): what is new in the collections of a partner.
 *
 * The URL may be of the discovery, of an API root, of its collections or of one collection: each says what it is.
 * Pages come in order of arrival; where the last one ended (X-TAXII-Date-Added-Last) is kept for each collection, and
 * asked for with added_after the next time.  In the middle of a long list only the beginning of a page is kept, since
 * added_after means strictly later and several objects may have come at one time.
 */
#include "share/client.h"
#include "share/clients/answers_inner.h"
#include "base/base64.h"
#include <ctype.h>
#include <stdio.h>

#define PAGES_MAX 2000
#define MEDIA_TYPE "application/taxii+json;version=2.1"
#define DATE_MAX 48

struct taxii {
	struct client_call *call;
	const char *headers[3];
	char kept[CLIENT_STATE_MAX]; /* a line for each collection: its URL's path, a blank, a date */
};

static int set_headers(struct taxii *t, struct fault *fault)
{
	const char *auth = client_option(t->call, "auth");
	struct bytes key = client_key(t->call), user, secret;
	const bool basic = auth ? !strcmp(auth, "basic") : client_key_parts(t->call, &user, &secret);
	t->headers[0] = "Accept: " MEDIA_TYPE;
	if (!key.len)
		return 0;
	if (basic) {
		uint8_t *room = arena_alloc(client_arena(t->call), BASE64_ROOM(key.len));
		struct writer w = writer_of(room, room ? BASE64_ROOM(key.len) : 0);
		base64_encode(key, &w);
		key = writer_bytes(&w);
	}
	t->headers[1] = client_header(t->call, basic ? "Authorization: Basic " : "Authorization: Bearer ", key);
	return t->headers[1] ? 0 : fault_set(fault, ERR_BAD, "its key has a line end within");
}

static int get(struct taxii *t, const char *path, struct client_answer *a, struct fault *fault)
{
	const struct client_request r = {.path = path, .headers = t->headers};
	int bad = client_http(t->call, &r, a, fault);
	return bad ? bad : client_refused(a, fault);
}

static bool find_date(const struct taxii *t, const char *collection, char date[DATE_MAX])
{
	const size_t len = strlen(collection);
	for (const char *at = t->kept; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!strncmp(at, collection, len) && at[len] == ' ')
			return bytes_copy_text((struct bytes){(const uint8_t *)at + len + 1, strcspn(at + len + 1, "\n")}, date, DATE_MAX);
	return false;
}

static int keep_date(struct taxii *t, const char *collection, const char *date, struct fault *fault)
{
	char next[CLIENT_STATE_MAX];
	const size_t len = strlen(collection);
	struct writer w = writer_of(next, sizeof next - 1);
	for (const char *at = t->kept; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, collection, len) || at[len] != ' ')
			write_fmt(&w, "%.*s\n", (int)strcspn(at, "\n"), at);
	write_fmt(&w, "%s %s\n", collection, date);
	if (w.bad)
		return fault_set(fault, ERR_FULL, "it has more collections than can be remembered; name some of them in options.collection");
	*w.at = '\0';
	memcpy(t->kept, next, writer_used(&w) + 1);
	return client_keep(t->call, writer_bytes(&w)) ? fault_set(fault, ERR_SYSTEM, "where it was cannot be kept") : 0;
}

/* RFC 3339's letters: others would change the request that a server's date becomes part of. */
static bool is_date(struct bytes date)
{
	for (size_t i = 0; i < date.len; i++)
		if (!isdigit(date.at[i]) && !strchr("-:.TZtz", date.at[i]))
			return false;
	return date.len && date.len < DATE_MAX;
}

static bool write_query(struct taxii *t, char *path, size_t size, const char *collection, const char *date, struct bytes next)
{
	const char *slash = *collection && collection[strlen(collection) - 1] == '/' ? "" : "/";
	const uint64_t limit = client_number(t->call, "limit", 0, 1000000);
	struct writer w = writer_of(path, size - 1);
	write_fmt(&w, "%s%sobjects/", collection, slash);
	char mark = '?';
	if (limit) {
		write_fmt(&w, "%climit=%llu", mark, (unsigned long long)limit);
		mark = '&';
	}
	if (*date) {
		write_fmt(&w, "%cadded_after=%s", mark, date);
		mark = '&';
	}
	if (next.len)
		write_fmt(&w, "%cnext=", mark);
	for (size_t i = 0; i < next.len; i++)
		write_fmt(&w, isalnum(next.at[i]) && next.at[i] < 0x80 ? "%c" : "%%%02X", next.at[i]);
	*w.at = '\0';
	return !w.bad;
}

/* One page: 1: there is another. */
static int take_page(struct taxii *t, const char *collection, char date[DATE_MAX], struct bytes *next, struct fault *fault)
{
	char path[CLIENT_URL_MAX], first[DATE_MAX] = "", last[DATE_MAX] = "";
	struct client_answer a;
	struct taxii_page page;
	if (!write_query(t, path, sizeof path, collection, date, *next))
		return fault_set(fault, ERR_FULL, "its next page has a name that is too long");
	int bad = get(t, path, &a, fault);
	bad = bad ? bad : taxii_read_page(a.body, client_arena(t->call), &page, fault);
	if (bad)
		return bad;
	if (is_date(a.date_first))
		bytes_copy_text(a.date_first, first, sizeof first);
	if (is_date(a.date_last))
		bytes_copy_text(a.date_last, last, sizeof last);
	if (page.any && !client_take(t->call, a.body, NULL))
		return fault_set(fault, ERR_GONE, "a page was not taken");
	const char *keep = page.more ? first : last;
	if (page.any && *keep && (!page.more || strcmp(first, last)) && (bad = keep_date(t, collection, keep, fault)))
		return bad;
	if (!page.more)
		return 0;
	if (!page.any || (page.next.len && bytes_equal(page.next, *next)))
		return fault_set(fault, ERR_BAD, "its pages go round in circles");
	/* A server that says nothing of the next page means the one behind this page's last object. */
	if (!page.next.len && (!*last || !strcmp(last, date)))
		return fault_set(fault, ERR_BAD, "it has more objects and does not say where");
	if (!page.next.len)
		memcpy(date, last, DATE_MAX);
	*next = page.next;
	return 1;
}

static int take_collection(struct taxii *t, const char *collection, struct fault *fault)
{
	const char *since = client_option(t->call, "since");
	char date[DATE_MAX] = "";
	struct bytes next = {0};
	int more = 1;
	if (!find_date(t, collection, date) && since && is_date(bytes_of_text(since)))
		snprintf(date, sizeof date, "%s", since);
	for (size_t n = 0; more > 0 && n < PAGES_MAX && !client_stopped(t->call); n++)
		more = take_page(t, collection, date, &next, fault);
	return more < 0 ? more : 0;
}

static const char *join(struct taxii *t, const char *base, const char *word, struct bytes id)
{
	const size_t size = strlen(base) + strlen(word) + id.len + 4;
	char *path = arena_alloc(client_arena(t->call), size);
	const size_t len = strlen(base);
	if (path)
		snprintf(path, size, "%s%s%s%.*s%s", base, len && base[len - 1] == '/' ? "" : "/", word, (int)id.len,
			 id.len ? (const char *)id.at : "", id.len ? "/" : "");
	return path;
}

/* Reads each collection that is listed below `base`. */
static int take_listed(struct taxii *t, const char *base, const struct answer_list *list, struct fault *fault)
{
	int worst = 0;
	if (!list->count)
		return fault_set(fault, ERR_MISSING, "it has no collection that we may read%s",
				 client_option(t->call, "collection") ? " and that options.collection names" : "");
	for (size_t i = 0; i < list->count && !client_stopped(t->call); i++) {
		const char *collection = join(t, base, "", list->items[i]);
		struct fault why = {0};
		int bad = collection ? take_collection(t, collection, &why) : fault_set(&why, ERR_MEMORY, "no memory");
		if (bad && !worst) /* what is wrong with one does not keep us from the others */
			worst = fault_set(fault, bad, "collection %.*s: %.400s", (int)list->items[i].len, (const char *)list->items[i].at, why.text);
	}
	return worst;
}

static int take_root(struct taxii *t, const char *root, struct fault *fault)
{
	const char *collections = join(t, root, "collections/", (struct bytes){0});
	struct client_answer a;
	struct answer_list list;
	if (!collections)
		return fault_set(fault, ERR_MEMORY, "no memory");
	int bad = get(t, collections, &a, fault);
	if (!bad && taxii_read(a.body, client_option(t->call, "collection"), client_arena(t->call), &list) != TAXII_COLLECTIONS)
		bad = fault_set(fault, ERR_BAD, "its API root lists no collections");
	return bad ? bad : take_listed(t, collections, &list, fault);
}

static int take_roots(struct taxii *t, const struct answer_list *roots, struct fault *fault)
{
	int worst = roots->count ? 0 : fault_set(fault, ERR_MISSING, "its discovery names no API root");
	for (size_t i = 0; i < roots->count && !client_stopped(t->call); i++) {
		const char *root = arena_text(client_arena(t->call), roots->items[i]);
		struct fault why = {0};
		/* "name/" alone is relative to the server, whatever the discovery's own path is. */
		if (root && *root != '/' && !strstr(root, "://"))
			root = join(t, "", root, (struct bytes){0});
		int bad = root ? take_root(t, root, &why) : fault_set(&why, ERR_MEMORY, "no memory");
		if (bad && !worst)
			worst = fault_set(fault, bad, "%s", why.text);
	}
	return worst;
}

static int turn(struct client_call *call, struct fault *fault)
{
	struct taxii t = {.call = call};
	struct client_answer a;
	struct answer_list list;
	const char *url = client_url(call);
	bytes_copy_text(client_state(call), t.kept, sizeof t.kept);
	int bad = set_headers(&t, fault);
	bad = bad ? bad : get(&t, NULL, &a, fault);
	if (bad)
		return bad;
	switch (taxii_read(a.body, client_option(call, "collection"), client_arena(call), &list)) {
	case TAXII_DISCOVERY:
		return take_roots(&t, &list, fault);
	case TAXII_ROOT:
		return take_root(&t, url, fault);
	case TAXII_COLLECTIONS:
		return take_listed(&t, url, &list, fault);
	case TAXII_COLLECTION:
		return list.count ? take_collection(&t, url, fault) : fault_set(fault, ERR_DENIED, "we may not read that collection");
	case TAXII_UNKNOWN:
		break;
	}
	return fault_set(fault, ERR_BAD, "that URL answers, and not as TAXII 2.1");
}

static const struct client_option options[] = {
	{"collection", "ids, aliases or titles of collections between commas; all that we may read without it"},
	{"since", "how far the first turn goes back: 2025-01-01T00:00:00Z; all without it"},
	{"limit", "objects of one page; as the server likes without it"},
	{"auth", "basic or bearer; without it basic where the key has a colon"},
	{0},
};

static const struct client taxii_client = {
	.name = "taxii",
	.summary = "TAXII 2.1: what was added to collections since the last turn, from the URL of a discovery, API root or collection",
	.reference = "OASIS TAXII 2.1",
	.format = "stix",
	.key = "user:password, or a bearer token",
	.options = options,
	.turn = turn,
};
CLIENT(taxii_client);
