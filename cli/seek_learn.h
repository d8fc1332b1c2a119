/* `kansoku seek learn` and `kansoku seek try`: what asks the store. */
#pragma once
#include "cli/command.h"

/* Exit statuses; the words behind the first are the name and addresses, or the files. */
int seek_learn(const struct arguments *);
int seek_try(const struct arguments *);
