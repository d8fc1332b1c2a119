/*
 * What one source of the population is: a device of the table, or one of the many others; and in
 * the unkind scenario what makes a device hard to tell.
 */
#pragma once

#include "bench/trial/chance.h"
#include "bench/trial/population.h"

void person_make_device(const struct population *p, struct source *s, int32_t model,
                        struct chance *chance);

void person_make_other(const struct population *p, struct source *s, struct chance *chance);

/* Twists about four tenths of the devices, which stand first; the other intruders follow them. */
void people_twist(struct population *p, size_t devices, size_t intruders, struct chance *chance);
