/* After a run under Wine: takes away what Wine itself did, and names files as Windows does. */
#pragma once
#include "lab/run/found.h"
#include "lab/run/taken.h"

/* Nothing may be observed after it. */
void windows_clean(struct observed *, struct taken *, struct found *);
