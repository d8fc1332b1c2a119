/*
 * zlib@openssh.com: payloads compressed from the log-in on (RFC 4253 6.2; the delay is of
 * draft-miller-secsh-compression-delayed).  Its memory is the session's arena.
 */
#pragma once
#include "base/arena.h"

struct ssh_zlib; /* one direction */

/* Begins, or begins anew after a key exchange; NULL: no memory. */
struct ssh_zlib *zlib_begin(struct ssh_zlib *, struct arena *, bool deflates);
/* Both false: not whole payloads, or more than the writer holds. */
bool zlib_deflate(struct ssh_zlib *, struct bytes, struct writer *);
bool zlib_inflate(struct ssh_zlib *, struct bytes, struct writer *);
