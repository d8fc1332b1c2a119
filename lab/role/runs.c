/* Running samples: what is not run is told from its bytes alone. */
#include "lab/role/room_inner.h"

void job_run(struct job *j) { job_report(j); }
void runs_free(struct job *j) { (void)j; }
int runners_open(struct lab_room *room, struct fault *fault)
{
	return room->options->run.on ? fault_set(fault, ERR_MISSING, "lab.run.on: samples cannot be run by this build") : 0;
}
void runners_watch(struct lab_room *room) { (void)room; }
void runners_close(struct lab_room *room) { (void)room; }
