/*
 * The look of a decoy's TCP/IP stack: what a scanner takes the operating system from.
 *
 * A persona names its look (`stack: linux-2.6`).  Where the configuration names interfaces and the
 * kernel lets us, the parent puts two programs on each, which give packets of decoy addresses the
 * look of their persona (program.bpf says what is rewritten).  From Linux 6.6 on they go when the
 * parent goes, however it ends: the kernel keeps them by descriptors that only the parent has.
 */
#pragma once
#include "base/options.h"
#include "passive/room/stack/look.h"
#include <stdbool.h>

struct settings; /* passive/room/settings.h */

enum stack_attach { STACK_ATTACH_AUTO, STACK_ATTACH_LINK, STACK_ATTACH_FILTER };

struct stack_options {
	struct option_list interfaces; /* of const char * */
	int attach;                    /* of enum stack_attach */
};

/* The looks that there are; docs/stack.md describes them. */
bool stack_known(const char *name);
void stack_names(struct writer *); /* each after a blank */
/* STACK_NO_LOOK: NULL, or no such look. */
uint8_t stack_number(const char *name);
/* In the order of their numbers, with layouts filled in; how many. */
size_t stack_looks(struct stack_look out[STACK_LOOKS_MAX]);

/*
 * In the parent, once decoys have their personas.  What cannot be done is said, and everything
 * else goes on: decoys then have the look of this machine.
 */
void stack_open(const struct settings *);
