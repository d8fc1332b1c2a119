/* Parts of completing a story, and what reports share. */
#pragma once
#include "lab/report.h"

/* Remembers a limit that was met, each word once. */
void story_limit(struct sample_story *, const char *word);
/* The first behaviour of a kind; NULL: it did not. `run` may be NULL. */
const struct behaviour *story_did(const struct run_findings *run, enum behaviour_kind kind);
/* Fills in families: those of static analysis, with what the runs and indicators add. */
int story_families(struct sample_story *, struct arena *);

#define ENDPOINT_HOST_MAX 255
/* "192.0.2.7:23", "[2001:db8::1]:23", "host.example:23" into host and port; false: it is none. */
bool endpoint_split(struct bytes endpoint, char host[ENDPOINT_HOST_MAX + 1], uint16_t *port);
/* "2026-11-23T10:00:00.000Z", as STIX wants it. */
void write_time_ms(struct writer *, uint64_t time_us);
void write_hex(struct writer *, struct bytes);
