/* `kansoku report ics`: industrial systems that seem to attack, a row each (analysis/ics.h). */
#pragma once
#include "cli/command.h"

int ics_report(const struct arguments *); /* exit status */
