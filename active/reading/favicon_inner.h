/*
 * Shodan's hash of an icon, by which public lists name products: MurmurHash3 (x86, 32 bits,
 * seed 0) over the icon in base64 with a line break after every 76 characters and at the
 * end, as Python's base64.encodebytes() writes it; a signed number.
 */
#pragma once
#include "base/bytes.h"

int32_t favicon_hash(struct bytes icon);
