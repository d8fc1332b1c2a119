/*
 * Time zones: how far local time is from UTC at any moment, from a compiled zone file (TZif, RFC 8536)
 * as every system has them in /usr/share/zoneinfo, and with the rule in its footer for the years
 * behind its table.  Several zones at once, without libc's one process-wide TZ.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define ZONE_TRANSITIONS_MAX 512
#define ZONE_TYPES_MAX 256
#define ZONE_BYTES_MAX 65536
#define ZONE_FOLDER "/usr/share/zoneinfo"

struct zone_rule { /* when summer time begins or ends: of the year's days, RFC 8536 3.3.1 and POSIX TZ */
	char form;         /* 'M' month, week, day; 'J' without 29 February; 'D' from 0 with it */
	uint16_t month, week, day;
	int32_t time_s;    /* local */
};

struct zone {
	uint32_t count;
	int64_t at_s[ZONE_TRANSITIONS_MAX];
	int32_t offset_s[ZONE_TRANSITIONS_MAX];
	int32_t first_s;   /* before the first transition */
	bool ruled, has_summer;
	int32_t standard_s, summer_s;
	struct zone_rule begin, end;
};

int zone_read(struct bytes tzif, struct zone *out); /* 0 or ERR_BAD */
/* "Asia/Tokyo"; "UTC" needs no file.  ERR_MISSING with a fault when there is none of that name. */
int zone_open(const char *name, struct zone *out, struct fault *);
/* Seconds east of UTC at that second of UTC. */
int32_t zone_offset_s(const struct zone *, int64_t utc_s);
