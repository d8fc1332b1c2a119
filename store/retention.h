/* Deletes what is older than the options allow; in the thread that writes. */
#pragma once
#include "store/store.h"

int retention_run(struct engine *, const struct store_options *, struct fault *);
