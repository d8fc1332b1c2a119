/* The topics by which rights are changed and the audit is read, for command lines and the console. */
#pragma once
#include "share/exchange_inner.h"

/* Opens the audit and the rights in the exchange's folder, and names the topics; before process_enter(). */
int access_door_open(struct exchange *, struct fault *);
void access_door_close(struct exchange *);
/* It came from a command line, and not from a process that talks with strangers. */
bool access_by_command(struct bus_request *);
