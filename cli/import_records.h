/* Files of others' records, handed to a running kansoku or only read. */
#pragma once
#include "cli/command.h"
#include "share/share.h"

/* `kansoku import FORMAT FILE…` for a format of share/formats/; exit status. */
int import_records(const struct arguments *, const struct format *);
/* What a format reads out of a file, a line (or JSON object) each: nothing is stored. */
int import_dry(const struct arguments *, const struct format *);
