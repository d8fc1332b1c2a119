/* Hosts in URLs, and whether two of them belong to one owner as far as their names tell. */
#pragma once
#include "base/bytes.h"

/* The host of a URL, without user, port and brackets; empty where there is none. */
struct bytes site_host(struct bytes url);
/* Its port; that of the scheme where none stands; 0: unknown. */
unsigned site_port(struct bytes url);
/*
 * The part of a host name that somebody registered: its last two labels, three below such as co.jp and
 * com.br (a second-level label of at most three letters below a country's).  An address is whole.
 */
struct bytes site_registered(struct bytes host);
/* Whether both URLs are of one such part; what has no host (data:, about:) is of any. */
bool site_same(struct bytes url, struct bytes other);
