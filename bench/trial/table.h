/*
 * Table 1: how many models and attacking hosts each class has, and which host is which model.
 * A class of the table must have exactly as many device records as it has printed models.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bench/trial/answer.h"

struct table_hosts {
	size_t count;
	int32_t *model; /* index into the answers, one per host, classes in the table's order */
};

/* Gives each model of a class its hosts: one each, and the rest the more the earlier it stands. */
void table_read(struct table_hosts *hosts, const char *path, const struct answers *devices);
