/*
 * When looks may leave: windows of the week in a named time zone, or in the target's own, and quiet
 * hours that no look may fall into.
 *
 *   windows: [{days: mon-fri, from: "09:00", to: "17:00", zone: Asia/Tokyo}]
 *   quiet: [{from: "22:00", to: "07:00", zone: target}]
 *
 * A window whose end lies before its begin goes on over midnight and belongs to the day that it began
 * on.  Without windows it is always open; then only quiet hours close it.
 */
#pragma once
#include "base/options.h"
#include "base/zone.h"

#define WINDOWS_MAX 16 /* of each kind */

struct window_option {
	const char *days, *from, *to, *zone;
};

struct window {
	uint8_t days;              /* bit 0: Monday */
	uint16_t from_min, to_min; /* of the day; to_min up to 1440 */
	const struct zone *zone;   /* NULL: the target's */
};

struct windows {
	struct window open[WINDOWS_MAX], quiet[WINDOWS_MAX];
	size_t open_count, quiet_count;
	bool asks_target;          /* one of them is in the target's zone */
	struct zone *zones;        /* one for each */
};

extern const struct option window_fields[];

/* `path` names the option in errors. */
int windows_read(struct windows *, const struct option_list *open, const struct option_list *quiet, const char *file,
		 struct fault *);
void windows_done(struct windows *);
/* The first moment from then on at which a look may leave; UINT64_MAX: none within eight days. */
uint64_t windows_next_us(const struct windows *, const struct zone *target, uint64_t from_us);
/* The first moment from then on at which none may leave; UINT64_MAX: none within eight days. */
uint64_t windows_close_us(const struct windows *, const struct zone *target, uint64_t from_us);
