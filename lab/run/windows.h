/*
 * Windows programs in a box: Wine, where it is installed (Debian: wine64).
 *
 * Wine needs a folder that looks like C:\, which takes it some ten seconds to make; it is made once,
 * in a box without a network and before any sample, and every run has it under an overlay.  Only
 * 64-bit programs run: 32-bit ones call the kernel in a way that the tracer does not read.
 *
 * Wine is no Windows: what looks for drivers, a debugger or Office finds none.  The external sandbox
 * (lab/external.h) has what it lacks.
 */
#pragma once
#include "lab/run.h"

#define WINDOWS_LOADER "/usr/lib/wine/wine64"
#define WINDOWS_DRIVE "/opt/windows" /* WINEPREFIX in the box */
#define WINDOWS_MEMORY (1u << 30)    /* Wine's own processes need more than a sample */
#define WINDOWS_PATH_MAX 256

bool windows_runs(const char *architecture);
/* Makes C:\ if there is none yet; its folder on the host.  ERR_MISSING: no Wine, or not for that processor. */
int windows_prepare(struct box_keeper *, const char *architecture, char path[WINDOWS_PATH_MAX], struct fault *);
/* Mounts and surroundings that a box with Wine has; `path` must outlive the plan. */
void windows_mounts(struct box_plan *, const char *path);
/* Ended by NULL, each "NAME=value". */
const char *const *windows_environment(void);
/* Files of C:\ that its user must own, below WINDOWS_DRIVE, ended by NULL. */
const char *const *windows_owned(void);
