/* TAXII 2.1 (OASIS, 10 June 2021): discovery, the one root, collections, manifests, objects, versions, statuses. */
#include "share/serve/page_inner.h"
#include "share/serve/room_inner.h"

#define ROOT "/exchange"
#define HOST_MAX 255

/* Whether "application/taxii+json" of this version is among what the caller takes (RFC 9110 12.5.1). */
static bool takes_taxii(struct bytes accept)
{
	bool any = !accept.len;
	while (accept.len && !any) {
		size_t end = bytes_find(accept, ",");
		struct bytes range = bytes_trim((struct bytes){accept.at, end});
		size_t semicolon = bytes_find(range, ";");
		struct bytes type = bytes_trim((struct bytes){range.at, semicolon});
		struct bytes rest = {range.at + semicolon, range.len - semicolon};
		bool versioned = bytes_find_nocase(rest, "version=") < rest.len;
		any = bytes_equal_text(type, "*/*") || bytes_equal_text(type, "application/*") ||
		      (bytes_equal_nocase(type, "application/taxii+json") &&
		       (!versioned || bytes_find_nocase(rest, "version=2.1") < rest.len || bytes_find_nocase(rest, "version=\"2.1\"") < rest.len));
		accept = (struct bytes){accept.at + end + (end < accept.len), accept.len - end - (end < accept.len)};
	}
	return any;
}

static bool is_taxii(struct serving *s)
{
	if (takes_taxii(s->head.accept))
		return true;
	serving_fail(s, 406, "only " TAXII_MEDIA " is given here");
	return false;
}

static bool is_host(struct bytes host)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
	for (size_t i = 0; i < host.len; i++)
		if (!host.at[i] || !strchr(may, host.at[i]))
			return false;
	return host.len && host.len <= HOST_MAX;
}

static void write_root_url(struct serving *s)
{
	if (is_host(s->head.host))
		serving_text(s, "\"http%s://%.*s" ROOT "/\"", s->head.secure ? "s" : "", (int)s->head.host.len, (const char *)s->head.host.at);
	else
		serving_text(s, "\"" ROOT "/\"");
}

static void discovery(struct serving *s)
{
	const char *contact = s->serve->contact;
	if (!is_taxii(s))
		return;
	serving_text(s, "{\"title\":");
	serving_json_text(s, bytes_of_text(serving_producer(s) ? serving_producer(s) : "kansoku"));
	serving_text(s, ",\"description\":\"observations of attacks, as far as your grants go\"");
	if (contact) {
		serving_text(s, ",\"contact\":");
		serving_json_text(s, bytes_of_text(contact));
	}
	serving_text(s, ",\"default\":");
	write_root_url(s);
	serving_text(s, ",\"api_roots\":[");
	write_root_url(s);
	serving_text(s, "]}\n");
	serving_send(s, 200, TAXII_MEDIA);
}

static void root(struct serving *s)
{
	if (!is_taxii(s))
		return;
	serving_text(s, "{\"title\":\"exchange\",\"versions\":[\"" TAXII_MEDIA "\"],\"max_content_length\":%u}\n", SERVE_BODY_MAX);
	serving_send(s, 200, TAXII_MEDIA);
}

static void write_collection(struct serving *s, const struct collection *c, bool reads, bool writes)
{
	serving_text(s, "{\"id\":\"%s\",\"alias\":\"%s\",\"title\":", c->id, c->name);
	serving_json_text(s, bytes_of_text(c->title));
	serving_text(s, ",\"description\":");
	serving_json_text(s, bytes_of_text(c->summary));
	serving_text(s, ",\"can_read\":%s,\"can_write\":%s,\"media_types\":[\"application/stix+json;version=2.1\"]}",
		     reads ? "true" : "false", writes ? "true" : "false");
}

static bool may(const struct serving *s, const struct collection *c, enum access_right right)
{
	return access_granted(serving_exchange(s)->access, &s->caller, c->name, right) != NULL;
}

static void collections(struct serving *s)
{
	const struct collections *all = &serving_exchange(s)->collections;
	size_t count = 0;
	if (!is_taxii(s))
		return;
	serving_text(s, "{");
	for (size_t i = 0; i < all->count; i++) {
		bool reads = may(s, &all->list[i], ACCESS_READ), writes = may(s, &all->list[i], ACCESS_WRITE);
		if (!reads && !writes)
			continue;
		serving_text(s, count++ ? "," : "\"collections\":[");
		write_collection(s, &all->list[i], reads, writes);
	}
	serving_text(s, count ? "]}\n" : "}\n");
	serving_send(s, 200, TAXII_MEDIA);
}

static void collection(struct serving *s)
{
	struct exchange *x = serving_exchange(s);
	const char *name = arena_text(&s->arena, serving_parameter(s, "collection"));
	const struct collection *c = name ? collection_find(&x->collections, name) : NULL;
	if (!is_taxii(s))
		return;
	bool reads = c && may(s, c, ACCESS_READ), writes = c && may(s, c, ACCESS_WRITE);
	if (!reads && !writes) {
		access_refuse(x->access, &s->caller, c ? c->name : name ? name : "", ACCESS_READ, NULL);
		serving_fail(s, 404, "there is nothing here that you may see");
		return;
	}
	write_collection(s, c, reads, writes);
	serving_text(s, "\n");
	serving_send(s, 200, TAXII_MEDIA);
}

static void serve_page(struct serving *s, enum page_shape shape, const char *id_parameter)
{
	struct bytes id = id_parameter ? serving_parameter(s, id_parameter) : (struct bytes){0};
	if (is_taxii(s) && serving_collection(s, serving_parameter(s, "collection"), ACCESS_READ))
		page_serve(s, shape, id);
}

static void objects(struct serving *s) { serve_page(s, PAGE_OBJECTS, NULL); }
static void manifest(struct serving *s) { serve_page(s, PAGE_MANIFEST, NULL); }
static void object(struct serving *s) { serve_page(s, PAGE_OBJECTS, "object"); }
static void versions(struct serving *s) { serve_page(s, PAGE_VERSIONS, "object"); }

/* What was observed is not taken back because a partner asks for it; erasure is the operator's. */
static void delete_object(struct serving *s)
{
	if (is_taxii(s) && serving_collection(s, serving_parameter(s, "collection"), ACCESS_WRITE))
		serving_fail(s, 403, "objects are not deleted here; write to the operator");
}

static void status(struct serving *s)
{
	struct bytes json = status_find(s->serve, s->caller.organisation_number, serving_parameter(s, "status"));
	if (!is_taxii(s))
		return;
	if (!json.len) {
		serving_fail(s, 404, "there is nothing here that you may see");
		return;
	}
	serving_out(s, json);
	serving_send(s, 200, TAXII_MEDIA);
}

#define COLLECTION ROOT "/collections/{collection}"
static const struct endpoint to_discovery = {"GET", "/taxii2", "TAXII: who this is, and where its root is", discovery};
ENDPOINT(to_discovery);
static const struct endpoint to_root = {"GET", ROOT, "TAXII: the root", root};
ENDPOINT(to_root);
static const struct endpoint to_status = {"GET", ROOT "/status/{status}", "TAXII: what came of objects that were given", status};
ENDPOINT(to_status);
static const struct endpoint to_collections = {"GET", ROOT "/collections", "TAXII: collections that the caller may read or write", collections};
ENDPOINT(to_collections);
static const struct endpoint to_collection = {"GET", COLLECTION, "TAXII: one of them", collection};
ENDPOINT(to_collection);
static const struct endpoint to_manifest = {"GET", COLLECTION "/manifest", "TAXII: what is in it: ids, versions, dates", manifest};
ENDPOINT(to_manifest);
static const struct endpoint to_objects = {"GET", COLLECTION "/objects", "TAXII: what is in it, in order of arrival", objects};
ENDPOINT(to_objects);
static const struct endpoint to_object = {"GET", COLLECTION "/objects/{object}", "TAXII: one object", object};
ENDPOINT(to_object);
static const struct endpoint to_versions = {"GET", COLLECTION "/objects/{object}/versions", "TAXII: its versions", versions};
ENDPOINT(to_versions);
static const struct endpoint to_delete_object = {"DELETE", COLLECTION "/objects/{object}", "TAXII: refused", delete_object};
ENDPOINT(to_delete_object);
