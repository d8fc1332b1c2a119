/*
 * One command that came through another protocol (a database's COPY FROM PROGRAM, a function
 * loaded into it): run by the device's shell as far as that runs anything, with what it brings or
 * names recorded.  Nothing is executed.
 */
#pragma once
#include "passive/service.h"
#include "passive/device/shell/shell.h"

struct command_shell; /* on the session's arena, from the first command on */

/*
 * Its output, cut to the writer's room.  The event of the command is the caller's, and goes
 * before.
 */
void command_run(struct session *, struct command_shell **, struct bytes line, struct writer *out);
/* Hands over what the commands wrote: for close(). */
void command_finish(struct session *, struct command_shell *);
