/* What RSS and Atom share: XML in which entries of one name follow each other, each small. */
#pragma once
#include "share/format.h"
#include <libxml/tree.h>

#define FEED_ENTRIES_MAX 100000

/* Calls `entry` for each element of that name, with its content; what is wrong is said with its line. */
void feed_each(struct intake *, struct bytes document, const char *name, void (*entry)(struct intake *, const xmlNode *));
/* All text within the first child of that name (and prefix, NULL: any); empty when there is none.  In the arena. */
struct bytes feed_text(struct intake *, const xmlNode *entry, const char *prefix, const char *name);
/* The texts of all children of that name, or their attribute, with blanks between. */
struct bytes feed_words(struct intake *, const xmlNode *entry, const char *name, const char *attribute);
/* Attribute of one node; empty when there is none. */
struct bytes feed_attribute(struct intake *, const xmlNode *, const char *name);
