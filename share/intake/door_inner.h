/* Imports that command lines hand over, piece by piece (share/share.h). */
#pragma once
#include "share/exchange_inner.h"

#define DOOR_IDLE_US 60000000 /* an import whose client went away */

struct door {
	struct exchange *exchange;
	uint64_t last_id;
	struct door_import {
		uint64_t id, heard_us;
		struct job *job;
	} imports[JOBS_MAX];
};

/* Names the topic; before process_enter(). */
void import_door_open(struct door *, struct exchange *);
void import_door_close(struct door *);
