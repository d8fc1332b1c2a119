/*
 * Signatures of tools and payloads for commands that read files: those of --signatures, then the
 * shipped ones, since an operator's own are there to be more exact.
 */
#pragma once
#include "cli/command.h"
#include "passive/telescope/output.h"

/* What is opened is to be closed also after an error, unless it is NULL. */
int signature_files_read(struct signatures **, const struct arguments *, struct fault *);
