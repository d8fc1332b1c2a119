/*
 * The recording of a session: what both sides said and when, as small as it goes.
 *
 *   byte 0     version, 1
 *   then       number: milliseconds since the record before (or the opening) << 2 | side
 *              number: length, then that many bytes
 *              RECORDING_OMITTED: a number only, how many bytes of ours were left out here
 *              RECORDING_CUT: nothing more
 *
 * A number is base 128, low groups first, the high bit on all bytes but the last (LEB128).
 * RECORDING_CUT is the last record: a limit was reached here and the session went on.
 * A record is one event of an asciicast v2: side PEER is "i", OURS is "o".
 */
#pragma once
#include "base/bytes.h"

enum recording_side { RECORDING_PEER, RECORDING_OURS, RECORDING_CUT, RECORDING_OMITTED };

struct recording {
	uint8_t *store;
	uint32_t used, size;
	uint32_t last_ms; /* when the latest record was made, since the opening */
	bool cut;
};

/*
 * Appends; beyond `max` bytes in all, or beyond what is left in *pool (the memory of all
 * recordings, lowered by what this one takes), the recording is cut.
 */
void recording_add(struct recording *, uint32_t since_open_ms, enum recording_side, struct bytes,
                   size_t max, size_t *pool);
/* Notes that n bytes of ours were said here and are not kept: a long answer can be made again. */
void recording_omit(struct recording *, uint32_t since_open_ms, uint64_t n, size_t max, size_t *pool);
struct bytes recording_bytes(const struct recording *);
void recording_done(struct recording *, size_t *pool);

struct recording_record {
	uint64_t time_ms; /* since the opening */
	enum recording_side side;
	struct bytes said;
	uint64_t omitted;
};

/* Starts reading: false when it is no recording.  Then one record after the other. */
bool recording_open(struct bytes, struct reader *);
bool recording_next(struct reader *, struct recording_record *); /* keeps time_ms running */
/* As asciicast v2 (JSON lines); width and height of the terminal, 0: 80 by 24. */
void recording_write_asciicast(struct bytes, uint64_t opened_us, unsigned width, unsigned height,
                               struct writer *);
