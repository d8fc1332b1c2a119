/*
 * Names of products: CPE 2.3 formatted strings and URIs (NISTIR 7695), and how two of them relate
 * (NISTIR 7696).
 *
 * A name keeps its texts itself, in lower case and unquoted: an unquoted * or ? within a value is
 * CPE_MANY or CPE_ONE there.  An attribute is ANY, NA ("there is none") or a value.
 */
#pragma once
#include "base/error.h"
#include "base/bytes.h"

#define CPE_BYTES_MAX 512
#define CPE_MANY 1 /* bytes that no text of ours holds */
#define CPE_ONE 2

enum cpe_attribute_name {
	CPE_PART,
	CPE_VENDOR,
	CPE_PRODUCT,
	CPE_VERSION,
	CPE_UPDATE,
	CPE_EDITION,
	CPE_LANGUAGE,
	CPE_SW_EDITION,
	CPE_TARGET_SW,
	CPE_TARGET_HW,
	CPE_OTHER,
	CPE_ATTRIBUTES
};

enum cpe_kind { CPE_ANY, CPE_NA, CPE_VALUE };

struct cpe_attribute {
	enum cpe_kind kind;
	bool wild; /* holds CPE_MANY or CPE_ONE */
	uint16_t at, len;
};

struct cpe {
	struct cpe_attribute attributes[CPE_ATTRIBUTES];
	char text[CPE_BYTES_MAX];
};

/* "cpe:2.3:a:…", the same without the first two words, or "cpe:/a:…"; 0 or ERR_BAD. */
int cpe_parse(struct bytes, struct cpe *);
/* A formatted string; NUL-terminated. */
#define CPE_TEXT_MAX (2 * CPE_BYTES_MAX + 48)
void cpe_format(const struct cpe *, char text[CPE_TEXT_MAX]);
static inline struct bytes cpe_value(const struct cpe *c, enum cpe_attribute_name a)
{
	return (struct bytes){(const uint8_t *)c->text + c->attributes[a].at, c->attributes[a].len};
}

/* Of a source to a target, NISTIR 7696 table 6-2. */
enum cpe_relation { CPE_DISJOINT, CPE_SUBSET, CPE_SUPERSET, CPE_EQUAL, CPE_UNDEFINED };
enum cpe_relation cpe_attribute_compare(const struct cpe *source, const struct cpe *target, enum cpe_attribute_name);
/* Of the names as wholes, table 6-4; UNDEFINED when the attributes do not agree on one. */
enum cpe_relation cpe_compare(const struct cpe *source, const struct cpe *target);
