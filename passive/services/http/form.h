/* What forms carry: name=value pairs, files in parts, percent-encoding. */
#pragma once
#include "base/bytes.h"

/* Writes `encoded` with %XX decoded and "+" as a blank; what is not hexadecimal stays. */
void form_decode(struct bytes encoded, struct writer *);

/* Takes the next name=value (still encoded) off a query or body; false at the end. */
bool form_next(struct bytes *rest, struct bytes *name, struct bytes *value);

/* The raw value of a field by name; at is NULL when there is none. */
struct bytes form_value(struct bytes form, const char *name);

struct form_part { /* of multipart/form-data, RFC 7578 */
	struct bytes name, filename, content;
	bool is_file;
};

/* The boundary that a Content-Type names, or the first line's of a body that names none. */
struct bytes form_boundary(struct bytes content_type, struct bytes body);

/*
 * Takes the next part off the body; false at the end.  A last part that is cut off
 * before its boundary is given as far as it came.
 */
bool form_part_next(struct bytes *rest, struct bytes boundary, struct form_part *);
