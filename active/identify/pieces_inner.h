/*
 * The pieces that a pattern is made of, as far as it takes to find what every match must
 * contain.  Positions are offsets into the pattern; a function that cannot tell gives its end.
 */
#pragma once
#include "base/bytes.h"

/* How often a piece stands there: exactly once, once or more, perhaps not at all. */
enum repeat { REPEAT_ONCE, REPEAT_SOME, REPEAT_MAYBE };

/* What a quantifier at `at` says of what stands before it. */
enum repeat piece_repeat_at(struct bytes pattern, size_t at);
size_t piece_repeat_end(struct bytes pattern, size_t at); /* past it, when there is one */
/* Past the `]` that closes the class at `at`; `]` stands for itself when it is the first. */
size_t piece_class_end(struct bytes pattern, size_t at);
/* Past the `)` that closes the group at `at`; tells whether a `|` stands in it at any depth. */
size_t piece_group_end(struct bytes pattern, size_t at, bool *choice);
/* Where a group's content starts; 0: it consumes no text (look-around, flags). */
size_t piece_group_content(struct bytes pattern, size_t at);
size_t piece_flags_end(struct bytes pattern, size_t at); /* past the letters of (?i-m */
/* The end of the branch that begins at `at`: a `|` outside all groups, or the end. */
size_t piece_branch_end(struct bytes pattern, size_t at);
/* Past one piece with its quantifier: a character, an escape, a class or a whole group. */
size_t piece_end(struct bytes pattern, size_t at, enum repeat *);
/* Free spacing, quoting, verbs, escapes that take more than their next character. */
bool pieces_unclear(struct bytes pattern);
