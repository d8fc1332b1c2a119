/* Shannon's entropy of bytes, 0 to 8 bits a byte: above 7.2 or so content is packed or encrypted. */
#pragma once
#include "base/bytes.h"

double bytes_entropy(struct bytes);
