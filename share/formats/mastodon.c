/*
 * Posts of Mastodon and of what speaks its API or ActivityPub: a list of statuses, an answer of a search, an
 * outbox, or one of them.
 */
#include "share/reading/date_inner.h"
#include "share/reading/readable_inner.h"
#include "share/format.h"
#include <jansson.h>

#define POSTS_MAX 100000

static struct bytes text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_string(value) ? (struct bytes){(const uint8_t *)json_string_value(value), json_string_length(value)}
				     : (struct bytes){0};
}

static struct bytes first_of(const json_t *object, const char *a, const char *b)
{
	struct bytes text = text_of(object, a);
	return text.len ? text : text_of(object, b);
}

static struct bytes tags_of(struct intake *in, const json_t *post)
{
	uint8_t *room = arena_alloc(intake_arena(in), RECORD_TEXT_MAX);
	struct writer w = writer_of(room, room ? RECORD_TEXT_MAX : 0);
	size_t i;
	json_t *tag;
	json_array_foreach(json_object_get(post, room ? "tags" : "tag"), i, tag) {
		struct bytes name = text_of(tag, "name");
		if (name.len && name.len + 1 <= writer_left(&w)) {
			write_text(&w, writer_used(&w) ? " " : "");
			write_span(&w, name);
		}
	}
	return writer_bytes(&w);
}

static void take_post(struct intake *in, const json_t *post)
{
	const json_t *boosted = json_object_get(post, "reblog");
	const json_t *carried = json_object_get(post, "object"); /* ActivityPub: Create carries its Note */
	post = json_is_object(boosted) ? boosted : json_is_object(carried) ? carried : post;
	struct bytes content = text_of(post, "content"), author = text_of(json_object_get(post, "account"), "acct");
	struct record like = {.link = first_of(post, "url", "uri"), .title = text_of(post, "spoiler_text"),
			      .author = author.len ? author : text_of(post, "attributedTo"), .labels = tags_of(in, post)};
	like.time_us = date_read(first_of(post, "created_at", "published"));
	if (!like.link.len)
		like.link = text_of(post, "id");
	like.original = html_readable(content, intake_arena(in));
	intake_text(in, &like, like.title);
	intake_text(in, &like, like.original);
	arena_done(intake_arena(in));
}

static const json_t *posts_of(const json_t *root)
{
	static const char *const keys[] = {"statuses", "orderedItems", "items", NULL};
	for (const char *const *key = keys; json_is_object(root) && *key; key++)
		if (json_is_array(json_object_get(root, *key)))
			return json_object_get(root, *key);
	return root;
}

static void document(struct intake *in, struct bytes whole)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)whole.at, whole.len, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		intake_bad(in, "line %d, column %d: %s; a list of statuses would be right", error.line, error.column, error.text);
		return;
	}
	const json_t *posts = posts_of(root);
	size_t i;
	json_t *post;
	if (json_is_object(posts))
		take_post(in, posts);
	else if (!json_is_array(posts))
		intake_bad(in, "it is neither a status nor a list of them");
	json_array_foreach(posts, i, post) {
		if (i == POSTS_MAX) {
			intake_bad(in, "more than %d posts; the rest was not read", POSTS_MAX);
			break;
		}
		if (json_is_object(post))
			take_post(in, post);
		else
			intake_bad(in, "entry %zu is no status", i);
	}
	json_decref(root);
}

static const struct format_specimen specimens[] = {
	{"a status whose link is shown in parts",
	 BYTES("[{\"id\":\"1\",\"url\":\"https://social.example/@a/1\",\"created_at\":\"2022-11-25T06:12:39.000Z\","
	       "\"account\":{\"acct\":\"a@social.example\"},\"tags\":[{\"name\":\"opendir\"}],\"content\":\"<p>#opendir "
	       "<a href=\\\"http://203.0.113.8/x/\\\"><span class=\\\"invisible\\\">http://</span><span>203.0.113.8/x/</span></a></p>\"}]"),
	 "url http://203.0.113.8/x/\naddress 203.0.113.8\n"},
	{"an outbox",
	 BYTES("{\"type\":\"OrderedCollectionPage\",\"orderedItems\":[{\"type\":\"Create\",\"object\":{\"type\":\"Note\","
	       "\"id\":\"https://social.example/n/2\",\"published\":\"2022-11-25T06:12:39Z\",\"content\":\"c2 at bad-name[.]net\"}}]}"),
	 "domain bad-name.net\n"},
	{"none", BYTES("[1, 2"), "bad line 1\n"},
	{0},
};

static const struct format mastodon = {
	.name = "mastodon",
	.summary = "posts of Mastodon's API or an ActivityPub outbox: what their texts name",
	.reference = "Mastodon API v1 and v2; W3C ActivityPub",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(mastodon);
