/* One run under way: its parts, and the steps between its start and its findings. */
#pragma once
#include "lab/run/found.h"
#include "lab/run/memory.h"
#include "lab/run/network.h"
#include "lab/run/scene.h"
#include "lab/run/taken.h"
#include "lab/run/windows.h"

#define RUN_MEMORY_MAX (256u << 20)
#define RUN_TIME_MS 60000
#define RUN_OUTPUT_MAX 65536
#define RUN_CAPTURE_MAX (48u << 20)

struct run {
	struct arena arena;
	struct run_findings findings;
};

struct running {
	struct run *run;
	const struct run_plan *plan;
	struct box_keeper *keeper;
	struct scene scene;
	struct box_plan box;
	struct box_started started;
	struct observed seen;
	struct taken taken;
	struct found found;
	struct memory memory;
	struct network network;
	struct trace *trace;
	struct run_sink *sink;
	struct buffer output;
	char windows[WINDOWS_PATH_MAX];
	char scratch[64];          /* a folder of this run's own */
	char namespace[64];        /* which process namespace is the box's, as /proc names it */
	uint64_t time_ms;
	bool ended, timed_out;     /* the box did; we did not wait for that */
};


/* While the processes still are: stops them and searches their memory. */
void running_look(struct running *);
/* When the box is over: takes its files, asks the sink, and fills in the findings. */
void running_conclude(struct running *);
