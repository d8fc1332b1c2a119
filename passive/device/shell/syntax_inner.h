/* What the lexer hands to the parser. */
#pragma once
#include "passive/device/shell/syntax.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_WORD,
	TOKEN_REDIRECT,
	TOKEN_OPERATOR, /* ; & && || | ( ) ;; */
	TOKEN_PARTIAL,  /* the text ends inside quotes or a substitution */
};

struct token {
	enum token_kind kind;
	struct bytes text;
	enum redirect_kind redirect;
	int fd; /* REDIRECT; of a PARTIAL: 1 within $( ), else 0 */
	bool strip_tabs;
};

struct lexer {
	struct bytes source;
	size_t at;
	unsigned line;
	struct token ahead; /* valid when has_ahead */
	bool has_ahead;
	struct syntax_redirect *here; /* here-documents whose text follows the next line end */
	struct syntax_redirect **here_end;
};

struct token lexer_peek(struct lexer *);
struct token lexer_take(struct lexer *);
