/* Keys that a client offers to log in with. */
#pragma once
#include "passive/services/ssh/ssh.h"

#define SSH_KEY_OFFERED_MAX 4096

void ssh_write_fingerprint(struct bytes blob, struct writer *); /* base64 of SHA-256, unpadded */
bool ssh_key_usable(struct bytes algorithm, struct bytes blob); /* one whose signatures we can check */
/* Whether the signature is the key's, over the session's id and the request before it. */
bool ssh_key_verify(struct bytes id, struct bytes request, struct bytes blob, struct bytes signature);
