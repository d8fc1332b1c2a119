/* Keys of one direction from what an exchange gave (RFC 4253 7.2). */
#pragma once
#include "passive/services/ssh/cipher.h"
#include "passive/services/ssh/exchange.h"

/* `shared` is K as it is hashed, `id` the hash of the session's first exchange. */
bool ssh_derive(const struct ssh_exchange *, struct bytes shared, struct bytes hash, struct bytes id,
                bool from_server, struct ssh_secrets *out);
