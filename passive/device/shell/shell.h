/*
 * BusyBox ash as bots use it, on a persona's files, without executing anything.
 *
 * The shell reads one line at a time, keeps its state on the session's arena and takes
 * all else through hooks, so that it knows no service.  Whatever a line says, its work
 * is bounded: steps, output, memory, depth and open constructs have named limits, and
 * a line that uses its budget up ends there as if interrupted.
 */
#pragma once
#include "passive/persona.h"

#define SHELL_LINE_MAX 4096          /* bytes of one line; the terminal drops the rest */
#define SHELL_PENDING_MAX 16384      /* lines of one unfinished construct together */
#define SHELL_STEPS_MAX 400000       /* of work for one line; a command costs 64 */
#define SHELL_OUTPUT_MAX (96 * 1024) /* bytes said in answer to one line */
#define SHELL_COMMAND_OUTPUT_MAX                                                                   \
	(24 * 1024)                    /* and by one command; the rest of a file is not said */
#define SHELL_SCRATCH_MAX (512 * 1024) /* memory for one line, gone afterwards */
#define SHELL_PIPE_MAX (128 * 1024)    /* bytes between two commands */
#define SHELL_DEPTH_MAX 24             /* constructs, substitutions and scripts in each other */
#define SHELL_VARIABLES_MAX 128
#define SHELL_VALUE_MAX 8192 /* bytes of one variable */
#define SHELL_WORDS_MAX 4096 /* words of one command */
#define SHELL_FUNCTIONS_MAX 32
#define SHELL_DELAY_MS_MAX 2000 /* longest pretended sleep of one line */
#define SHELL_BUSY_STEPS 20000  /* a line that costs more makes its visitor wait, */
#define SHELL_STEPS_PER_MS 400  /* as a slow device would: this many steps a millisecond */

struct shell_hooks {
	void (*say)(void *owner, struct bytes); /* to the terminal; lines end in LF */
	/* The visitor told a loader to fetch a file ("wget", "tftp", "ftpget"). */
	void (*fetched)(void *owner, struct bytes url, struct bytes name, const char *how);
	/* Bytes that the visitor brought into a file; once per content. */
	void (*captured)(void *owner, struct bytes content, struct bytes name, const char *how);
	void (*delayed)(void *owner, uint32_t delay_ms);
	uint64_t (*time_us)(void *owner);
	uint64_t (*random)(void *owner);
	/* The files to work on; NULL: the persona's, with an overlay that ends with the shell. */
	bool (*files)(void *owner, struct vfs *out);
};

enum shell_next {
	SHELL_CONTINUE,
	SHELL_EXIT, /* the visitor left the last shell */
	SHELL_HALT, /* the device was told to reboot: the line goes dead */
};

struct shell_run;

struct shell {
	const struct persona *persona;
	const struct address *local;
	const struct shell_hooks *hooks;
	void *owner;
	struct arena *arena;
	uint64_t seed; /* of the device */
	struct vfs vfs;
	struct shell_variable *variables;
	struct shell_function *functions;
	struct shell_run *run; /* while a line runs */
	char *pending;         /* an unfinished construct, or who waits for input */
	uint32_t pending_len, pending_room;
	uint32_t status;
	uint16_t variable_count, function_count, background_pid;
	uint8_t nested;  /* interactive shells started in each other */
	uint8_t waiting; /* enum shell_waiting: a command reads the terminal */
	bool halted;
	bool unknown; /* a command was not found; whoever asks sets it back before a line */
};

/* Zeroed before; the arena, hooks, persona and address outlive the shell. */
void shell_start(struct shell *, const struct persona *, const struct address *local, uint64_t seed,
                 struct arena *, const struct shell_hooks *, void *owner);
void shell_greet(struct shell *);  /* message of the day and BusyBox's banner */
/* PS1 as another shell would need it to prompt alike, with \w for the directory. */
void shell_write_prompt(struct shell *, struct writer *);
void shell_prompt(struct shell *); /* "# ", "> ", or nothing while a command reads */
enum shell_next shell_line(struct shell *, struct bytes line); /* without its line end */
void shell_interrupt(struct shell *);                          /* ^C */
enum shell_next shell_end_of_input(struct shell *);            /* ^D on an empty line */
void shell_finish(struct shell *);            /* hands over what was written and not yet taken */
bool shell_hides_input(const struct shell *); /* a password is being asked for */

/* Runs a text as `sh -c` would, errors named after "sh": for tests against a real BusyBox. */
enum shell_next shell_script(struct shell *, struct bytes text);
/*
 * The same for a command that came with an input of its own: one that reads it waits, and takes
 * what shell_feed() brings, bytes as they are, until shell_end_of_input().
 */
enum shell_next shell_command(struct shell *, struct bytes text);
bool shell_waits(const struct shell *);
void shell_feed(struct shell *, struct bytes);
