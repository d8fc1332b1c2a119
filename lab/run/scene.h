/*
 * The inside of a box: a small Linux device, as the samples expect one, with the sample in it.
 *
 * Its tools are busybox; its files are written through the box's root once it stands and before the
 * sample begins, so they belong to the box's own users and whoever is root there can change them.
 */
#pragma once
#include "lab/run.h"
#include "lab/run/architecture.h"

#define SCENE_NAME_MAX 128
#define SCENE_SAMPLE_MAX (SCENE_NAME_MAX + 8)
#define SCENE_KERNEL "3.10.14"
#define SCENE_HOST "localhost"
#define SCENE_TOOLS "/bin/busybox"

struct scene {
	const char *windows;            /* C:\ on the host, for a Windows program; set before scene_plan() */
	char sample[SCENE_SAMPLE_MAX];  /* its path in the box */
	char scratch[256];              /* where the masks of /proc lie */
	char masks[4][300];
	char loader[2][128];            /* what a dynamic program names as its interpreter: on the host, in the box */
	bool loader_missing;            /* it names one that is not installed */
	const char *argv[BOX_ARGUMENTS_MAX + 2];
	const char *env[12];
	char lines[ARCHITECTURES_MAX][ARCHITECTURE_LINE_MAX];
	const char *formats[ARCHITECTURES_MAX + 1];
	const char *how;                /* "native", "qemu-mips", "sh" */
	const struct architecture *architecture; /* NULL: a script, which may bring any */
};

/* In what /proc/PID/exe says of a process that is emulated; it is the host's qemu, the box has none. */
#define SCENE_EMULATOR "/qemu-"

/* Fills in what of the box's plan depends on the sample; `scene` must outlive the plan. */
int scene_plan(struct scene *, const struct run_plan *, const char *scratch, struct box_plan *, struct fault *);
/* Writes all files through the root of the box, whose sample waits. */
int scene_make(const struct scene *, const struct run_plan *, int root, struct fault *);
