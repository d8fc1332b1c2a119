/* Atom: the other way to write a feed (RFC 4287). */
#include "share/reading/date_inner.h"
#include "share/reading/feed_inner.h"
#include "share/reading/readable_inner.h"

/* RFC 4287 4.2.7.2: a link without a relation is the entry itself. */
static struct bytes link_of(struct intake *in, const xmlNode *entry)
{
	for (const xmlNode *it = entry->children; it; it = it->next) {
		if (it->type != XML_ELEMENT_NODE || strcmp((const char *)it->name, "link"))
			continue;
		struct bytes relation = feed_attribute(in, it, "rel");
		if (!relation.len || bytes_equal_text(relation, "alternate"))
			return feed_attribute(in, it, "href");
	}
	return feed_text(in, entry, NULL, "id");
}

static struct bytes author_of(struct intake *in, const xmlNode *entry)
{
	for (const xmlNode *it = entry->children; it; it = it->next)
		if (it->type == XML_ELEMENT_NODE && !strcmp((const char *)it->name, "author"))
			return feed_text(in, it, NULL, "name");
	return (struct bytes){0};
}

static void entry(struct intake *in, const xmlNode *node)
{
	struct bytes body = feed_text(in, node, NULL, "content"), date = feed_text(in, node, NULL, "published");
	struct record like = {.title = feed_text(in, node, NULL, "title"), .link = link_of(in, node),
			      .author = author_of(in, node), .labels = feed_words(in, node, "category", "term")};
	like.time_us = date_read(date.len ? date : feed_text(in, node, NULL, "updated"));
	if (!body.len)
		body = feed_text(in, node, NULL, "summary");
	like.original = html_readable(body, intake_arena(in));
	intake_text(in, &like, like.title);
	intake_text(in, &like, like.original);
}

static void document(struct intake *in, struct bytes whole) { feed_each(in, whole, "entry", entry); }

static const struct format_specimen specimens[] = {
	{"an entry with a link and a summary",
	 BYTES("<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><title>Scanner</title><id>urn:1</id>"
	       "<link href=\"http://cert.example/1\"/><updated>2015-06-09T10:00:00+09:00</updated>"
	       "<author><name>A. Analyst</name></author><summary>from 203.0.113(.)5:23 only</summary></entry></feed>"),
	 "endpoint 203.0.113.5:23\naddress 203.0.113.5\n"},
	{"no feed at all", BYTES("<html><body>moved</body></html>"), "bad there is no element <entry>\n"},
	{0},
};

static const struct format atom = {
	.name = "atom",
	.summary = "entries of an Atom feed: what their texts name",
	.reference = "RFC 4287",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(atom);
