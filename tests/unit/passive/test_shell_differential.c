/*
 * Every script here says the same under our shell and under a real BusyBox, which is
 * asked when it is installed: output, errors and the exit status of the last command.
 */
#include "tests/unit/passive/shell_bench.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const scripts[] = {
        "echo hello world",
        "echo -n no newline",
        "echo -e 'a\\tb\\x41\\101\\0101\\n'",
        "echo -e '\\x7f\\x45\\x4c\\x46' | wc -c",
        "echo -ne '\\x6b\\x61\\x6d\\x69'",
        "echo -E 'a\\tb'; echo -nE x; echo -x y",
        "echo -e 'one\\ctwo'",
        "printf '%s-%d-%x\\n' abc 42 255",
        "printf '%5s|%-5s|%05d\\n' a b 7",
        "printf '\\x41\\102\\n'; printf '%%\\n'",
        "printf '%s\\n' a b c",
        "printf '%c%c' xy z; echo",
        "printf '%b' 'a\\nb'",
        "echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((7%3)) $((-7/2))",
        "x=5; echo $((x+3)) $((x*x)) $(($x-1))",
        "echo $((1<2)) $((2<=1)) $((1==1)) $((3&1)) $((3|4)) $((1<<4)) $((~0)) $((!5))",
        "echo $((0x1f)) $((010)) $((1?2:3)) $((0||1)) $((1&&0))",
        "i=1; echo $((i++)) $i $((++i)) $((i+=5)) $i",
        "a=1; b=$a$a; echo $b ${b} ${b}c \"$b\" '$b' \\$b",
        "echo ${u:-default} ${u-d2} ${u:+set}; u=x; echo ${u:-default} ${u:+set}",
        "echo ${n:=assigned} $n",
        "x=archive.tar.gz; echo ${x%.*} ${x%%.*} ${x#*.} ${x##*.} ${#x}",
        "x=hello; echo ${x:1:3} ${x:2} ${x/l/L} ${x//l/L}",
        "true && echo yes || echo no; false && echo yes || echo no",
        "false; echo $?; true; echo $?; (exit 7); echo $?",
        "! true; echo $?; ! false; echo $?",
        "if true; then echo a; else echo b; fi",
        "if false; then echo a; elif true; then echo c; else echo b; fi",
        "for i in 1 2 3; do echo $i; done",
        "for i in a b; do for j in 1 2; do echo $i$j; done; done",
        "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done",
        "i=0; until [ $i -ge 2 ]; do echo $i; i=$((i+1)); done",
        "for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done",
        "case abc in a*) echo star;; *) echo other;; esac",
        "case x in a|x) echo alt;; esac; case '*' in \\*) echo lit;; esac",
        "case 5 in [0-9]) echo digit;; esac; case q in [!a-c]) echo not;; esac",
        "echo a b c | while read x y; do echo \"$y,$x\"; done",
        "printf 'a b\\nc d\\n' | while read i; do echo \"<$i>\"; done",
        "printf 'one\\ntwo\\n' > f; while read i; do echo $i; done < f",
        "printf 'x:y:z\\n' > f; while IFS=: read a b c; do echo $c $b $a; done < f; rm f",
        "echo 'a\\b' | while read -r l; do echo \"$l\"; done; echo 'a\\b' | while read l; do echo "
        "\"$l\"; done",
        "echo x > f; echo y >> f; cat f; cat < f; rm f; cat f",
        "cat nosuch; echo $?",
        "cat nosuch 2>/dev/null; echo $?",
        "nosuchcommand; echo $?",
        "nosuchcommand 2>&1 | cat",
        "./nosuch; echo $?",
        "/nosuch/x; echo $?",
        "> f; ls -l f | cut -c1-10; rm f; echo $?",
        "echo hi > f; chmod 000 f; ./f; chmod 777 f; ls -l f | cut -c1-10",
        "rm nosuch; echo $?; rm -f nosuch; echo $?",
        "mkdir d; rm d; echo $?; rmdir d; rmdir d; echo $?",
        "mkdir d; mkdir d; mkdir -p d/e/f; ls d; rm -rf d; ls d",
        "cp nosuch x; echo $?; mv nosuch x; echo $?",
        "echo 1 > a; cp a b; mv b c; ls -1; cat c; rm a c",
        "touch a b c; echo *; echo ?; echo [ab]; echo z*; rm *",
        "touch .h v; echo *; ls; ls -a | grep h; rm -f .h v",
        "cd nosuchdir 2>/dev/null; echo $?",
        "mkdir d; cd d; echo x > ../y; cat ../y; cd ..; rm -r d y",
        "echo $(echo sub) `echo back` \"$(echo 'a  b')\" $(echo 'a  b')",
        "x=$(printf 'a\\n\\n\\n'); echo \"[$x]\"",
        "x=`echo \\`echo nested\\``; echo $x",
        "(x=1; echo $x); echo \"[$x]\"; { y=2; }; echo $y",
        "x=1; f() { echo \"$1 $# $x\"; x=2; return 3; }; f a b; echo $? $x",
        "f() { local v=1; shift; echo \"$@\" $#; }; f a b c",
        "set -- a 'b c' d; echo $#; for i in \"$@\"; do echo \"<$i>\"; done; for i in $@; do echo "
        "\"<$i>\"; done",
        "set -- a b; echo \"$*\" $1 $2 ${1}x; shift; echo $1",
        "cat <<EOF\nhello $((1+1))\n$USERX tail\nEOF",
        "cat <<'EOF'\nhello $((1+1)) `x`\nEOF",
        "cat <<-EOF\n\tindented\n\tEOF\necho after",
        "cat <<A; cat <<B\none\nA\ntwo\nB",
        "echo one; echo two & wait; echo three",
        "echo a; # comment\necho b#c '#d'",
        "echo a\\\nb 'c\nd' \"e\\\nf\"",
        "echo \"a\\\"b\\$c\\\\d\\e\" 'x'\"y\"z",
        "x='a b'; echo $x \"$x\"; y=\"  s  \"; echo $y \"$y\"",
        "echo a;echo b;;echo c",
        "if then",
        "while true; done",
        "for",
        "echo )",
        "echo (",
        "case x",
        "fi",
        "do",
        "}",
        "echo 'unterminated",
        "echo \"x",
        "echo $(echo",
        "{ echo a",
        "( echo a",
        "if true; then echo",
        "&& echo",
        "| cat",
        "; echo",
        "echo >",
        "echo a | | b",
        "echo a &&",
        "[ a = a ] && echo eq; [ a != b ] && echo ne; [ -z '' ] && echo z; [ -n x ] && echo n",
        "[ 1 -eq 1 -a 2 -gt 1 ]; echo $?; [ 1 -eq 2 -o 1 -lt 2 ]; echo $?; [ ! 1 -eq 1 ]; echo $?",
        "[ -f nosuch ]; echo $?; > f; [ -f f ]; echo $?; [ -s f ]; echo $?; [ -d . ]; echo $?; rm "
        "f",
        "test 1 -eq; echo $?; [ 1 -eq x ]; echo $?; [ a; echo $?",
        "head -n 2 nosuch; printf '1\\n2\\n3\\n' | head -n 2; printf '1\\n2\\n3\\n' | tail -n 1; "
        "printf abcdef | head -c 3",
        "printf '1\\n2\\n3\\n4\\n' | tail -3; printf '1\\n2\\n3\\n' | tail -n +2; printf "
        "'1\\n2\\n3\\n' | head -1",
        "printf 'a b\\nc\\n' | wc; printf 'a b\\nc\\n' | wc -l; printf 'abc' > f; wc -c f; rm f",
        "printf 'foo\\nbar\\nfoobar\\n' | grep foo; printf 'foo\\nbar\\n' | grep -v foo; echo x | "
        "grep -q y; echo $?",
        "printf 'Foo\\nbar\\n' | grep -i foo; printf 'a1\\nb2\\n' | grep -n b; printf 'a\\na\\n' | "
        "grep -c a",
        "printf 'abc\\nadc\\n' | grep 'a.c'; printf 'aac\\n' | grep -o 'a*'; printf 'x(1)\\n' | "
        "grep -F '(1)'",
        "printf 'foo bar\\n' | grep -E 'ba(r|z)$'; printf 'ab\\nabb\\n' | grep -E '^ab{2}$'; echo "
        "aXb | egrep '[A-Z]+'",
        "echo a:b:c | cut -d: -f2; echo a:b:c | cut -d: -f1,3; echo abcdef | cut -c2-4; echo abc | "
        "cut -b1",
        "echo hello | tr a-z A-Z; echo hello | tr -d l; echo aabb | tr -s a; echo 'a b' | tr ' ' "
        "'\\n'",
        "echo hello | sed 's/l/L/'; echo hello | sed 's/l/L/g'; echo a/b | sed 's|/|-|'; echo abc "
        "| sed 's/\\(b\\)/[\\1]/'",
        "printf '1\\n2\\n3\\n' | sed -n 2p; printf '1\\n2\\n3\\n' | sed 2d; printf '1\\n2\\n3\\n' "
        "| sed '$d'; printf 'a\\nb\\n' | sed '/a/d'",
        "echo abc | sed -r 's/(a)(b)/\\2\\1/'; echo abc | sed 's/b/&&/'; printf 'a\\nb\\nc\\nd\\n' "
        "| sed -n '/b/,/c/p'",
        "printf 'b\\na\\nc\\na\\n' | sort; printf 'b\\na\\nc\\na\\n' | sort -u; printf '10\\n9\\n' "
        "| sort -n; printf 'a\\na\\nb\\n' | uniq -c",
        "echo 0123456789 > f; dd if=f bs=4 count=1 2>/dev/null; echo; dd if=f bs=5 count=2; dd "
        "if=f of=g bs=3 skip=1; cat g; rm f g",
        "dd if=nosuch; echo $?; echo abc | dd of=o 2>/dev/null; cat o; echo X | dd of=o bs=1 "
        "seek=1 conv=notrunc 2>/dev/null; cat o; rm o",
        "seq 3; seq 2 4; seq 1 2 5; basename /a/b.c .c; dirname /a/b/c; basename /a/",
        "eval 'echo $((2+2))'; x='echo indirect'; $x; eval \"$x\"",
        "sh -c 'echo $0 $1' a b; sh -c 'exit 4'; echo $?",
        "echo 'echo from $0' > s; sh s; echo 'echo $1' > s; sh s arg; rm s",
        "echo 'nosuch1\nif then' > s; sh s; echo $?; rm s",
        "echo 'echo piped' | sh; echo 'exit 5' | sh; echo $?",
        "x=1 sh -c 'echo [$x]'; echo [$x]",
        "export A=1; sh -c 'echo $A'; unset A; echo [$A]",
        "readonly r=1; echo $r; (r=2); echo $?",
        "true | false; echo $?; false | true; echo $?",
        "yes | head -n 2; echo a | tee f; cat f; rm f",
        "type cd; type nosuch; command -v cd; command -v nosuch; echo $?",
        "exit 3; echo never",
        "echo $((1/0)); echo after",
        "echo $((1+)); echo after",
        "echo ${x!}; echo after",
        "trap '' INT; umask; :; echo $?",
        "kill; kill 999999; kill x; echo $?",
        "shift 5; echo $?; break; continue; echo ok",
        "return 3; echo after",
        "unset 1; echo after",
        "export 1=2; echo after",
        "exec nosuch; echo after",
        ". ./nosuch 2>/dev/null; echo after",
        "while :; do break; done; echo $?; for i in; do echo x; done; echo $?",
        "for i in 1 2; do for j in 1 2; do continue 2; done; echo no; done; echo done",
        "a=b; a=c echo $a; echo $a; IFS=,; x=1,2,3; echo $x; set -- $x; echo $#",
        "cat /dev/null; echo x > /dev/null; echo $?",
        "echo a 1>&2 2>/dev/null; echo b >&2; echo c 2>&1 >/dev/null",
        "nosuch >f 2>&1; cat f; rm f; { echo a; nosuch2; } > f 2>&1; cat f; rm f",
        "echo x >nosuchdir/f; echo $?; echo x > .; echo $?; cat < nosuch; echo $?",
        "ln -s target l; readlink l; ls -l l | cut -c1-10; cat l; rm l",
        "echo \"${x:-\"quoted\"}\" ${x:-a b} \"${x:-a  b}\"",
        "x=*; touch q; echo $x \"$x\"; rm q; echo a'*'b",
        "find . -name 'z*'; mkdir d; touch d/za; find . -name 'za'; rm -r d",
        "which nosuch; echo $?; id -u >/dev/null; sleep 0; echo $?",
        "rm; mkdir; cp a; chmod 777; touch; mv",
        "chmod 777 nosuch; chmod zz .; ls nosuch; touch nosuchdir/x; ln -s; rmdir nosuch",
        "head nosuch; tail nosuch; wc nosuch; grep x nosuch; cut -f1 nosuch; sed p nosuch; sort "
        "nosuch",
};

static void remove_tree(const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", path, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* What the real one says; false: there is none here. */
static bool ask_busybox(const char *script, char *out, size_t room, int *status)
{
	char directory[] = "/tmp/shell-XXXXXX";
	int fd[2], raw;
	if (!mkdtemp(directory) || pipe(fd))
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);
		if (chdir(directory) || null < 0)
			_exit(126);
		dup2(null, 0);
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		setenv("TZ", "UTC", 1);
		execlp("busybox", "busybox", "sh", "-c", script, (char *)NULL);
		_exit(126);
	}
	close(fd[1]);
	size_t n = 0;
	ssize_t got;
	while (n < room - 1 && (got = read(fd[0], out + n, room - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = 0;
	close(fd[0]);
	waitpid(pid, &raw, 0);
	remove_tree(directory);
	*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
	return *status != 126 || n > 0;
}

/* Usage texts differ by version and build; the first line of one stands for all of it. */
static void drop_usage(char *text)
{
	char *at = text;
	while ((at = strstr(at, "BusyBox v"))) {
		char *end = strstr(at, "Usage: ");
		end = end ? strchr(end, '\n') : NULL;
		while (end && end[1] && !strstr(text, "\n~") &&
		       (end[1] == '\n' || end[1] == '\t' ||
		        strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", end[1]) ||
		        !strncmp(end + 1, "or: ", 4) || !strncmp(end + 1, "   or", 5)) &&
		       strncmp(end + 1, "BusyBox v", 9))
			end = strchr(end + 1, '\n') ? strchr(end + 1, '\n') : end + strlen(end) - 1;
		if (!end)
			return;
		memmove(at, end + 1, strlen(end + 1) + 1);
	}
}

/* Newer ones name a line here, older ones (and ours) do not. */
static void drop_line_zero(char *text)
{
	for (char *at = text; (at = strstr(at, "line 0: "));)
		memmove(at, at + 8, strlen(at + 8) + 1);
}

TEST(shell_answers_as_busybox_does)
{
	static char real[65536];
	unsigned wrong = 0;
	int status;
	if (!ask_busybox("echo", real, sizeof real, &status))
		SKIP("no busybox is installed");
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct bench *b = bench_open("router");
		b->said.at = b->said.start;
		vfs_make_directory(&b->shell.vfs, BYTES("/tmp/w"), 0755);
		vfs_change_directory(&b->shell.vfs, BYTES("/tmp/w"));
		CHECK(ask_busybox(scripts[i], real, sizeof real, &status));
		shell_script(&b->shell, bytes_of_text(scripts[i]));
		write_u8(&b->said, 0);
		drop_usage(real);
		drop_line_zero(real);
		drop_usage(b->text);
		if (strcmp(real, b->text) || status != (int)b->shell.status) {
			print_error("%s\n--- busybox (%d)\n%s--- ours (%u)\n%s---\n", scripts[i],
			            status, real, b->shell.status, b->text);
			wrong++;
		}
		bench_close(b);
	}
	CHECK_SAY(wrong == 0, "%u of %zu scripts differ", wrong, sizeof scripts / sizeof *scripts);
}
