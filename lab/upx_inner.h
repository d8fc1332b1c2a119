/* Blocks as UPX packs them: one method each, told by a number (UPX's src/conf.h). */
#pragma once
#include "base/bytes.h"

#define UPX_UNPACKED_MAX (64u << 20)

/* True when exactly `room` bytes came out. */
bool upx_block_unpack(unsigned method, struct bytes packed, uint8_t *out, size_t room);
bool upx_method_known(unsigned method);
