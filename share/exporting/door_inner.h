/* Exports that command lines ask for (share/share.h, TOPIC_EXPORT). */
#pragma once
#include "share/exporting/exporting_inner.h"

#define EXPORTS_MAX 4 /* at once */
#define EXPORT_PART_MAX (256u << 10)
#define EXPORT_UNSENT_MAX (4u << 20)

/* Reads a question of TOPIC_EXPORT; ERR_… with a sentence that says what would be right. */
int export_question_read(struct exchange *, struct bytes json, struct export_wanted *, struct fault *);

/* The same from the audit's line of that number; `was`: the digest that it tells of. */
int export_again_read(struct exchange *, uint64_t number, struct export_wanted *, char was[2 * AUDIT_DIGEST + 1], struct fault *);

/* Names the topic; before process_enter(). */
int export_door_open(struct exchange *, struct fault *);
void export_door_stop(struct exchange *); /* no more parts are sent */
void export_door_close(struct exchange *);
