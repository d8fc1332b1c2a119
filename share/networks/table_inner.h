/*
 * A row of a table's file, big-endian: ROW_NETWORK, first and last address (16 bytes each), AS u32, country (2 bytes),
 * name, labels; or ROW_AS, its number u32, country (2 bytes), name.  A text is behind its length in one byte.
 */
#pragma once
#include "share/networks/networks_inner.h"

#define NETWORKS_SUFFIX ".table"

enum row_kind { ROW_NETWORK = 1, ROW_AS = 2 };
