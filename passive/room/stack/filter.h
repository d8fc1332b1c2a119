/*
 * The stack's programs as filters of an interface: how kernels before Linux 6.6 take them.
 */
#pragma once

/* Both ways, until the process ends by exit(); 0, or -1 with errno. */
int filters_attach(unsigned interface, int egress, int ingress);
/* Takes away what a process left behind that was killed. */
void filters_forget(void);
