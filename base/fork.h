/*
 * fork() without what libraries do after it: libuv closes the descriptors that it had for its
 * signals and opens others under the same numbers, which are somebody else's in a process that closed
 * all it inherited.  Only for who has one thread and goes on without the libraries' loops.
 */
#pragma once
#include <sys/types.h>

pid_t fork_plain(void);
