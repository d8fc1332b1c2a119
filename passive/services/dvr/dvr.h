/* What the control ports of recorders have in common: hashes, and log-ins by them. */
#pragma once
#include "passive/services/http/auth.h"
#include "passive/service.h"

#define DVR_HASH_CHARS 8
#define DVR_MD5_CHARS 32

/* Eight letters of the MD5 of a password: Dahua's first hash, which Xiongmai took over. */
void dvr_hash(struct bytes secret, char out[DVR_HASH_CHARS + 1]);
/* MD5 of parts with colons between, in capitals as Dahua has them. */
void dvr_md5(const struct bytes *parts, size_t count, char out[DVR_MD5_CHARS + 1]);
/*
 * A log-in of which only a hash came: `fits` knows whether a password makes it, `proof` is the
 * hash as crackers read it.  Reports login.tried and says whether the device lets in.
 */
bool dvr_login(struct session *, struct bytes user, bool (*fits)(const void *, struct bytes), const void *of, struct bytes proof);
/* The same when the password came as it is. */
bool dvr_login_plain(struct session *, struct bytes user, struct bytes secret);
