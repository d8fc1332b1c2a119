/*
 * The shell's syntax tree (POSIX.1 2.10), as much of it as ash has.
 *
 * Words stay raw slices of the source; quotes and expansions are worked out when a
 * command runs.  Everything lies in the arena that was given to syntax_read(), and
 * slices point into the source, which must outlive the tree.
 */
#pragma once
#include "base/arena.h"

enum syntax_kind {
	SYNTAX_SIMPLE,
	SYNTAX_PIPE,
	SYNTAX_AND_OR,   /* children by next, each with its join */
	SYNTAX_SEQUENCE, /* children by next: never as deep as it is long */
	SYNTAX_BACKGROUND,
	SYNTAX_SUBSHELL,
	SYNTAX_GROUP,
	SYNTAX_IF,
	SYNTAX_WHILE,
	SYNTAX_UNTIL,
	SYNTAX_FOR,
	SYNTAX_CASE,
	SYNTAX_CASE_ITEM,
	SYNTAX_FUNCTION,
};

struct syntax_word {
	struct syntax_word *next;
	struct bytes raw;
};

enum redirect_kind {
	REDIRECT_IN,
	REDIRECT_OUT,
	REDIRECT_APPEND,
	REDIRECT_BOTH,    /* <> */
	REDIRECT_COPY,    /* >& and <& */
	REDIRECT_HERE,    /* <<, expanded */
	REDIRECT_LITERAL, /* << with a quoted end word */
};

struct syntax_redirect {
	struct syntax_redirect *next, *next_here;
	enum redirect_kind kind;
	int fd;
	struct bytes raw;  /* target; the end word of a here-document */
	struct bytes text; /* of a here-document */
	bool strip_tabs;
};

struct syntax {
	enum syntax_kind kind;
	bool negated;  /* ! before a pipe */
	bool has_list; /* for x in … */
	char join;     /* within AND_OR: '&' or '|' before this child, 0 for the first */
	unsigned line;
	struct syntax *first, *second, *third, *next;
	struct syntax_word *words;
	struct syntax_redirect *redirects;
	struct bytes text; /* name of a for or function; source of a function's body */
};

enum syntax_result {
	SYNTAX_DONE,    /* a command (or an empty line) was read */
	SYNTAX_END,     /* there was no more */
	SYNTAX_PARTIAL, /* the text ends inside a construct */
	SYNTAX_ERROR,   /* `error` says what was unexpected */
	SYNTAX_FULL,    /* too deep or too long for the arena */
};

struct syntax_reader {
	struct bytes source;
	size_t at;
	unsigned line;
	struct arena *arena;
	char error[96];
};

/* Reads the commands up to the next line end at the top level. */
enum syntax_result syntax_read(struct syntax_reader *, struct syntax **out);

/* Where the quoted or substituted part that begins at `at` ends; SIZE_MAX: never. */
size_t syntax_skip(struct bytes source, size_t at, unsigned depth);
/* Whether an unquoted word is this reserved word, name=value, or a name. */
bool syntax_is_name(struct bytes);
size_t syntax_assignment(struct bytes word); /* length of the name before '=', or 0 */
