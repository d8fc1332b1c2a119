/*
 * Fills the lists of arrivals from the store, in the order in which it received events (received_us).
 *
 * The newest two seconds are left for the next turn while more comes in, since processes stamp what they receive each for
 * themselves, and what an older stamp comes with later would be passed over.
 */
#pragma once
#include "share/collection.h"
#include "share/exchange_inner.h"
#include "share/serve/arrivals_inner.h"

struct feeding;

int feeding_open(struct feeding **, struct exchange *, const struct collections *, struct fault *);
void feeding_start(struct feeding *);
/* No more questions; the one that is out may still be answered. */
void feeding_stop(struct feeding *);
void feeding_close(struct feeding *);
const struct arrivals *feeding_arrivals(const struct feeding *, const struct collection *); /* NULL: not of ours */
