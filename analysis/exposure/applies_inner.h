/*
 * Does what NVD says of a CVE apply to a host?
 *
 * NVD's configurations are AND and OR over names with bounds; those that are not vulnerable are
 * conditions ("running on").  What is not known of the host leaves a configuration open: then it
 * applies possibly, and the condition is told.
 */
#pragma once
#include "analysis/exposure/products_inner.h"
#include "analysis/exposure/record_inner.h"

/* Rising: what OR takes the greatest of. */
enum truth { TRUTH_NO, TRUTH_UNKNOWN, TRUTH_POSSIBLE, TRUTH_YES };

struct host_product {
	const struct software *software;
	struct cpe cpe;
	struct product_name names[PRODUCTS_NAMES_MAX];
	size_t name_count;
	bool update_is_port, distribution;
	struct bytes version, upstream; /* without a distribution's suffix; empty: not known */
	struct bytes release, update;   /* empty: it is not split */
};

struct host {
	const struct products *products;
	struct host_product items[SOFTWARE_MAX];
	size_t count;
	bool windows, other_system; /* of the system, where one is known */
};

void host_open(struct host *, const struct products *, const struct software *, size_t count);

/* How a version stands to what a match says of versions. */
enum truth version_applies(const struct host_product *, const struct cpe *criteria, const struct record_match *);

struct applied {
	enum truth truth;
	const struct host_product *product; /* that is vulnerable */
	struct record_match match;          /* by this; its bounds lie in the record */
	char condition[200];                /* what must hold besides; empty: nothing */
};

/* `record` after its head was read.  False: it does not apply, or the record is damaged. */
bool record_applies(struct reader *, const struct record_head *, const struct host *, struct applied *);
