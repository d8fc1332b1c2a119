/* kansoku audit exchange: the exchange's audit is verified and shown. */
#pragma once
#include "cli/command.h"

int exchange_audit(const struct arguments *); /* exit status */
