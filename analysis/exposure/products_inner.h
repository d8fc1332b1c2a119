/* What exposures/products.yaml says of names. */
#pragma once
#include "analysis/exposure/cpe_inner.h"
#include "analysis/exposures.h"
#include "base/arena.h"

#define PRODUCTS_GROUPS_MAX 4096
#define PRODUCTS_NAMES_MAX 16 /* of one product */
#define PRODUCTS_WORDS_MAX 256

struct product_name {
	struct bytes vendor, product;
};

/* The other names of a product, itself included; at least itself.  A rule that tells no maker gets the names by the product. */
size_t products_names(const struct products *, const struct cpe *, struct product_name out[PRODUCTS_NAMES_MAX]);
/* Its "p1" says for which systems it was made, not what was repaired (OpenSSH's portable releases). */
bool products_update_is_port(const struct products *, const struct cpe *);
/* A distribution's own build, by a word in the banner or version, or the vendor of the system. */
bool products_word_of_distribution(const struct products *, struct bytes text);
bool products_vendor_is_distribution(const struct products *, struct bytes vendor);
