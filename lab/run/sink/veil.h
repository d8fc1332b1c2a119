/*
 * The sink's end of TLS: takes any version and any name, with a certificate made for the name that is
 * asked for.  Between the wire and a talk; no I/O.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define VEIL_SECRETS_MAX 65536
#define VEIL_NAME_MAX 255

struct veil_key;
struct veil_side;    /* of the process: key, context, secrets */
struct veil;         /* of one connection */

/*
 * An RSA key, for clients too old for elliptic curves: making one takes a moment, so a keeper makes it
 * once for all of its sinks.  NULL: those clients get no connection.
 */
struct veil_key *veil_key_make(void);
void veil_key_free(struct veil_key *);
int veil_side_open(struct veil_side **, const struct veil_key *, struct fault *);
void veil_side_close(struct veil_side *);
struct bytes veil_side_secrets(const struct veil_side *);

bool veil_recognises(struct bytes first);
struct veil *veil_open(struct veil_side *);
void veil_close(struct veil *);
/*
 * From the wire; what comes of it is appended to `plain`, what the wire must get to `wire`.
 * False: it is no TLS, or its end.
 */
bool veil_take(struct veil *, struct bytes, struct buffer *plain, struct buffer *wire);
bool veil_say(struct veil *, struct bytes, struct buffer *wire);
void veil_end(struct veil *, struct buffer *wire);
const char *veil_name(const struct veil *); /* that it asked for, or "" */
bool veil_stands(const struct veil *);
