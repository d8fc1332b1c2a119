/* Base64 (RFC 4648 4 and 5) as tolerantly as devices read it. */
#pragma once
#include "base/bytes.h"

/* Writes what `text` encodes; line ends and foreign letters are skipped, "=" ends. */
void base64_decode(struct bytes text, struct writer *);
