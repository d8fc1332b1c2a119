#include "share/reading/readable_inner.h"
#include <libxml/HTMLparser.h>

static bool is_block(const xmlNode *node)
{
	static const char *const blocks[] = {"p", "br", "div", "li", "tr", "td", "th", "pre", "h1", "h2", "h3", "h4",
					     "table", "ul", "ol", "blockquote", "code", NULL};
	for (const char *const *it = blocks; *it; it++)
		if (!strcmp((const char *)node->name, *it))
			return true;
	return false;
}

static bool is_unread(const xmlNode *node)
{
	return !strcmp((const char *)node->name, "script") || !strcmp((const char *)node->name, "style");
}

static void write_link(const xmlNode *node, struct writer *w)
{
	xmlChar *href = strcmp((const char *)node->name, "a") ? NULL : xmlGetProp(node, (const xmlChar *)"href");
	if (href && strlen((const char *)href) < writer_left(w))
		write_fmt(w, "\n%s\n", (const char *)href);
	xmlFree(href);
}

/* The node that follows in the document's order, below `root`; what `into` forbids is passed over. */
static const xmlNode *node_after(const xmlNode *node, const xmlNode *root, bool into, struct writer *w)
{
	if (into && node->children)
		return node->children;
	while (node != root && !node->next) {
		node = node->parent;
		if (node->type == XML_ELEMENT_NODE && is_block(node))
			write_text(w, "\n");
	}
	return node == root ? NULL : node->next;
}

static void write_readable(const xmlNode *root, struct writer *w)
{
	for (const xmlNode *node = root; node && !w->bad;) {
		bool into = true;
		if (node->type == XML_TEXT_NODE && node->content)
			write_text(w, (const char *)node->content);
		if (node->type == XML_ELEMENT_NODE) {
			if (is_block(node))
				write_text(w, "\n");
			write_link(node, w);
			into = !is_unread(node);
		}
		node = node_after(node, root, into, w);
	}
}

struct bytes html_readable(struct bytes html, struct arena *arena)
{
	if (html.len > READABLE_MAX)
		html.len = READABLE_MAX;
	/* Without a tag there is nothing to unfold, and a text with "<" in it stays whole. */
	if (!html.len || bytes_find(html, "<") == html.len)
		return html;
	xmlDoc *document = htmlReadMemory((const char *)html.at, (int)html.len, NULL, "UTF-8",
					  HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
	const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
	size_t room = 2 * html.len + 64; /* entities only shrink; links come twice */
	uint8_t *text = root ? arena_alloc(arena, room) : NULL;
	struct writer w = writer_of(text, text ? room : 0);
	if (text)
		write_readable(root, &w);
	xmlFreeDoc(document);
	return text ? writer_bytes(&w) : (struct bytes){0};
}
