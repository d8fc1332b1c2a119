/* RSS: the feeds of blogs, CERTs and lists of malicious addresses. */
#include "share/reading/date_inner.h"
#include "share/reading/feed_inner.h"
#include "share/reading/readable_inner.h"

static void item(struct intake *in, const xmlNode *node)
{
	struct bytes title = feed_text(in, node, NULL, "title"), body = feed_text(in, node, "content", "encoded");
	struct bytes date = feed_text(in, node, NULL, "pubDate"), author = feed_text(in, node, NULL, "author");
	struct record like = {.title = title, .link = feed_text(in, node, NULL, "link"),
			      .labels = feed_words(in, node, "category", NULL)};
	like.time_us = date_read(date.len ? date : feed_text(in, node, "dc", "date"));
	like.author = author.len ? author : feed_text(in, node, "dc", "creator");
	if (!like.link.len)
		like.link = feed_text(in, node, NULL, "guid");
	if (!body.len)
		body = feed_text(in, node, NULL, "description");
	like.original = html_readable(body, intake_arena(in));
	intake_text(in, &like, title);
	intake_text(in, &like, like.original);
}

static void document(struct intake *in, struct bytes whole) { feed_each(in, whole, "item", item); }

static const struct format_specimen specimens[] = {
	{"a blog that breaks its addresses",
	 BYTES("<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">"
	       "<channel><title>Reports</title><item><title>A botnet</title><link>http://blog.example/7</link>"
	       "<pubDate>Tue, 10 Jun 2003 04:00:00 +0900</pubDate><content:encoded><![CDATA[<p>It fetches "
	       "hxxp://198.51.100[.]7/bins/a.sh and calls c2[.]bad-name[.]net. See <a href=\"http://blog.example/6\">more</a>."
	       "</p>]]></content:encoded></item></channel></rss>"),
	 "url http://198.51.100.7/bins/a.sh\naddress 198.51.100.7\ndomain c2.bad-name.net\n"},
	{"one that is cut", BYTES("<rss><channel><item><title>198.51.100[.]9</title></item><item><title>x"),
	 "address 198.51.100.9\nbad line 1\n"},
	{0},
};

static const struct format rss = {
	.name = "rss",
	.summary = "entries of an RSS feed: what their texts name",
	.reference = "RSS 0.91 to 2.0; RSS 1.0 with its modules content and dc",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(rss);
