/*
 * Indicators that people broke so that nobody follows them, made whole: hxxp, hXXps, [.], (.), {.}, [dot],
 * (dot), " dot " between words without blanks only in brackets, [:], [at], (at), [@], [/].
 */
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

/* In the arena, never longer than the text; empty where there is no memory. */
struct bytes refang(struct bytes text, struct arena *);
