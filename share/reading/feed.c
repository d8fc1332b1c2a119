#include "share/reading/feed_inner.h"
#include <libxml/xmlreader.h>

static void no_words(void *arg, const char *message, xmlParserSeverities severity, xmlTextReaderLocatorPtr at)
{
	(void)arg, (void)message, (void)severity, (void)at; /* they are asked for when reading has failed */
}

static void say_why(struct intake *in, xmlTextReader *reader)
{
	const xmlError *error = xmlGetLastError();
	char why[160] = "it is no XML";
	if (error && error->message)
		snprintf(why, sizeof why, "%s", error->message);
	why[strcspn(why, "\n")] = '\0';
	intake_bad(in, "line %d: %s; what stands before was read", xmlTextReaderGetParserLineNumber(reader), why);
}

void feed_each(struct intake *in, struct bytes document, const char *name, void (*entry)(struct intake *, const xmlNode *))
{
	xmlResetLastError();
	/* No network, no external subset; entities stay references, so none can grow. */
	xmlTextReader *reader = xmlReaderForMemory((const char *)document.at, (int)document.len, NULL, NULL,
						   XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!reader) {
		intake_bad(in, "it is empty, a feed would be right");
		return;
	}
	xmlTextReaderSetErrorHandler(reader, no_words, NULL);
	size_t count = 0;
	int more = xmlTextReaderRead(reader);
	while (more == 1) {
		const xmlChar *local = xmlTextReaderConstLocalName(reader);
		bool mine = xmlTextReaderNodeType(reader) == XML_READER_TYPE_ELEMENT && local && !strcmp((const char *)local, name);
		if (mine && count++ == FEED_ENTRIES_MAX) {
			intake_bad(in, "more than %d entries; the rest was not read", FEED_ENTRIES_MAX);
			break;
		}
		const xmlNode *node = mine ? xmlTextReaderExpand(reader) : NULL;
		if (node) {
			entry(in, node);
			arena_done(intake_arena(in));
		}
		more = node ? xmlTextReaderNext(reader) : xmlTextReaderRead(reader);
	}
	if (more < 0)
		say_why(in, reader);
	else if (!count)
		intake_bad(in, "there is no element <%s> in it", name);
	xmlFreeTextReader(reader);
}

static struct bytes keep(struct intake *in, xmlChar *text)
{
	struct bytes b = text ? arena_copy(intake_arena(in), bytes_of_text((const char *)text)) : (struct bytes){0};
	xmlFree(text);
	return b.at ? bytes_trim(b) : (struct bytes){0};
}

static const xmlNode *child_named(const xmlNode *from, const char *prefix, const char *name)
{
	for (const xmlNode *it = from; it; it = it->next)
		if (it->type == XML_ELEMENT_NODE && !strcmp((const char *)it->name, name) &&
		    (!prefix || (it->ns && it->ns->prefix && !strcmp((const char *)it->ns->prefix, prefix))))
			return it;
	return NULL;
}

struct bytes feed_text(struct intake *in, const xmlNode *entry, const char *prefix, const char *name)
{
	const xmlNode *child = child_named(entry->children, prefix, name);
	return child ? keep(in, xmlNodeGetContent(child)) : (struct bytes){0};
}

struct bytes feed_attribute(struct intake *in, const xmlNode *node, const char *name)
{
	return keep(in, xmlGetProp(node, (const xmlChar *)name));
}

struct bytes feed_words(struct intake *in, const xmlNode *entry, const char *name, const char *attribute)
{
	uint8_t *room = arena_alloc(intake_arena(in), RECORD_TEXT_MAX);
	struct writer w = writer_of(room, room ? RECORD_TEXT_MAX : 0);
	for (const xmlNode *it = child_named(entry->children, NULL, name); it && room; it = child_named(it->next, NULL, name)) {
		struct bytes word = attribute ? feed_attribute(in, it, attribute) : keep(in, xmlNodeGetContent(it));
		if (!word.len || word.len + 1 > writer_left(&w))
			continue;
		if (writer_used(&w))
			write_text(&w, " ");
		write_span(&w, word);
	}
	return writer_bytes(&w);
}
