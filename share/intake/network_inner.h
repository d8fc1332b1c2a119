/* What a process of this room needs to fetch names and check certificates, once its rights are gone. */
#pragma once
#include "bus/process.h"

/* In prepare(): the resolver's and TLS's files. */
int network_prepare(struct preparation *);
/* In run(), before process_enter(): afterwards no library can be opened any more. */
void network_load(void);
