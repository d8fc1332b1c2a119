/* Words of the language of conditions, one at a time, and the names that it knows. */
#pragma once
#include "passive/telescope/signatures_inner.h"

#define WORD_MAX 40

enum word { /* signs of one character are themselves */
	WORD_END = 256, WORD_NUMBER, WORD_NAME, WORD_LAYOUT,
	WORD_EQUAL, WORD_UNEQUAL, WORD_AT_MOST, WORD_AT_LEAST, WORD_LEFT, WORD_RIGHT, WORD_TO,
	WORD_AND, WORD_OR, WORD_NOT, WORD_IN,
};

struct words {
	const struct signature_source *source;
	struct bytes all;
	size_t at, start;   /* behind and at the present word */
	int kind;           /* of the present word */
	uint32_t number;    /* of WORD_NUMBER and WORD_LAYOUT */
	struct bytes text;  /* of WORD_NAME */
};

enum name_kind { NAME_COLUMN, NAME_CONSTANT, NAME_TIME };
struct name {
	const char *name;
	enum name_kind kind;
	uint32_t number; /* enum column, or the constant */
};

int words_open(struct words *, struct bytes text, const struct signature_source *);
int words_next(struct words *);
/* The sentence, with the column of the present word. */
int words_complain(const struct words *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const struct name *words_name(struct bytes);
const char *words_name_nearer(const char *wrong); /* NULL: nothing is near */
