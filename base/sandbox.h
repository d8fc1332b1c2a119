/*
 * Taking rights away from the process that calls it: seccomp and Landlock.
 *
 * Everything that is not named is refused with EPERM (never a kill: a library's odd call
 * must be an error, not an outage).  Order: open and dlopen first, then sandbox_enter().
 */
#pragma once
#include "base/error.h"
#include <stdbool.h>

enum sandbox_right {
	SANDBOX_ACCEPT = 1,   /* listen and accept4 on sockets that were handed down */
	SANDBOX_CONNECT = 2,  /* socket(), bind(), connect() over IP */
	SANDBOX_FILES = 4,    /* open and change files beneath the named paths */
	SANDBOX_PATHS = 8,    /* also rename, link, unlink and directories there */
	SANDBOX_THREADS = 16, /* clone for threads */
	SANDBOX_LOOSE = 32,   /* chDB: all but exec, ptrace, mount, modules, keys, namespaces */
};

struct sandbox_path {
	const char *path;
	bool writable;
};

/* Also sets no_new_privs and makes the process undumpable.  Works without root. */
int sandbox_enter(unsigned rights, const struct sandbox_path *, size_t count, struct fault *);
/*
 * Nothing can be sent through these descriptors any more, nor through copies of them: for sockets
 * that only listen but that the kernel would let send.  Before sandbox_enter(); sets
 * no_new_privs.
 */
int sandbox_receive_only(const int *fds, size_t count, struct fault *);
/* What this kernel can do, for `kansoku doctor`. */
bool sandbox_has_seccomp(void);
bool sandbox_has_landlock(void);
