/* test, [ and [[ (POSIX.1 test, and what ash adds). */
#include "passive/device/shell/call.h"

#define TEST_DEPTH_MAX 16

struct testing {
	struct call *call;
	size_t at, end;
	unsigned depth;
	bool failed;
};

static bool test_or(struct testing *);

static struct bytes word(const struct testing *t, size_t i)
{
	return t->at + i < t->end ? t->call->argv[t->at + i] : (struct bytes){0};
}

static bool is(const struct testing *t, size_t i, const char *text)
{
	return t->at + i < t->end && bytes_equal_text(word(t, i), text);
}

static bool complain(struct testing *t, struct bytes what, const char *why)
{
	if (!t->failed)
		call_say_error(t->call, "sh: %.*s: %s\n", BYTES_FMT(what), why);
	t->failed = true;
	return false;
}

static bool file_is(struct testing *t, uint8_t what, struct bytes path)
{
	struct vfs_node n;
	struct vfs_status s;
	if (vfs_find(&t->call->shell->vfs, path, what != 'h' && what != 'L', &n))
		return false;
	vfs_stat(n, &s);
	switch (what) {
	case 'f':
		return s.kind == VFS_FILE;
	case 'd':
		return s.kind == VFS_DIRECTORY;
	case 'c':
		return s.kind == VFS_CHARACTER;
	case 'b':
		return s.kind == VFS_BLOCK;
	case 'h':
	case 'L':
		return s.kind == VFS_LINK;
	case 's':
		return s.size > 0;
	case 'x':
		return s.mode & 0111;
	case 'w':
		return !(s.flags & (VFS_READ_ONLY | VFS_SEALED));
	default:
		return strchr("er", what) != NULL;
	}
}

static bool compare_numbers(struct testing *t, struct bytes a, const char *op, struct bytes b)
{
	int64_t x, y;
	if (!call_number(bytes_trim(a), &x))
		return complain(t, a, "bad number");
	if (!call_number(bytes_trim(b), &y))
		return complain(t, b, "bad number");
	return !strcmp(op, "-eq")   ? x == y
	       : !strcmp(op, "-ne") ? x != y
	       : !strcmp(op, "-lt") ? x < y
	       : !strcmp(op, "-le") ? x <= y
	       : !strcmp(op, "-gt") ? x > y
	                            : x >= y;
}

static bool is_newer(struct testing *t, struct bytes a, struct bytes b)
{
	struct vfs_node x, y;
	struct vfs_status s, u;
	struct vfs *v = &t->call->shell->vfs;
	if (vfs_find(v, a, true, &x) || vfs_find(v, b, true, &y))
		return false;
	vfs_stat(x, &s);
	vfs_stat(y, &u);
	return s.mtime_s > u.mtime_s;
}

/* A op B; false in *known when the middle word is no operator. */
static bool test_binary(struct testing *t, bool *known)
{
	static const char *const numbers[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
	struct bytes a = word(t, 0), op = word(t, 1), b = word(t, 2);
	*known = t->end - t->at >= 3;
	if (!*known)
		return false;
	if (bytes_equal_text(op, "=") || bytes_equal_text(op, "=="))
		return bytes_equal(a, b);
	if (bytes_equal_text(op, "!="))
		return !bytes_equal(a, b);
	if (bytes_equal_text(op, "-nt"))
		return is_newer(t, a, b);
	if (bytes_equal_text(op, "-ot"))
		return is_newer(t, b, a);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (bytes_equal_text(op, numbers[i]))
			return compare_numbers(t, a, numbers[i], b);
	*known = false;
	return false;
}

static bool is_operator(struct bytes b)
{
	static const char *const all[] = {"=",   "==",  "!=",  "-eq", "-ne", "-lt",
	                                  "-le", "-gt", "-ge", "-nt", "-ot"};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (bytes_equal_text(b, all[i]))
			return true;
	return false;
}

static bool test_primary(struct testing *t)
{
	bool known;
	if (++t->depth > TEST_DEPTH_MAX || t->at >= t->end) {
		t->failed = true;
		return false;
	}
	bool yes = test_binary(t, &known);
	if (known) {
		t->at += 3;
	} else if (is(t, 0, "!") && t->at + 1 < t->end) {
		t->at++;
		yes = !test_primary(t);
	} else if (is(t, 0, "(") && t->at + 1 < t->end) {
		t->at++;
		yes = test_or(t);
		if (!is(t, 0, ")"))
			complain(t, word(t, 0), "closing paren expected");
		t->at++;
	} else {
		struct bytes w = word(t, 0), operand = word(t, 1);
		bool unary =
		        w.len == 2 && w.at[0] == '-' && strchr("nzfdcbhLsxwreugkpSGO", w.at[1]);
		if (unary && t->at + 1 < t->end) {
			yes = w.at[1] == 'n'   ? operand.len > 0
			      : w.at[1] == 'z' ? operand.len == 0
			                       : file_is(t, w.at[1], operand);
			t->at += 2;
		} else {
			yes = w.len > 0;
			t->at++;
		}
	}
	t->depth--;
	return yes;
}

static bool test_and(struct testing *t)
{
	bool yes = test_primary(t);
	while (!t->failed && (is(t, 0, "-a") || is(t, 0, "&&"))) {
		t->at++;
		yes = test_primary(t) && yes;
	}
	return yes;
}

static bool test_or(struct testing *t)
{
	bool yes = test_and(t);
	while (!t->failed && (is(t, 0, "-o") || is(t, 0, "||"))) {
		t->at++;
		yes = test_and(t) || yes;
	}
	return yes;
}

static int test_run(struct call *c)
{
	struct testing t = {.call = c, .at = 1, .end = c->argc};
	bool bracket = bytes_equal_text(c->argv[0], "[") || bytes_equal_text(c->argv[0], "[[");
	if (bracket) {
		if (!bytes_equal_text(c->argv[c->argc - 1],
		                      bytes_equal_text(c->argv[0], "[") ? "]" : "]]")) {
			call_say_error(c, "sh: missing %s\n", c->argv[0].len == 1 ? "]" : "]]");
			return 2;
		}
		t.end--;
	}
	if (t.at >= t.end)
		return 1;
	bool yes = test_or(&t);
	if (!t.failed && t.at < t.end)
		complain(&t, word(&t, 0),
		         t.at + 1 == t.end && is_operator(word(&t, 0)) ? "argument expected"
		                                                       : "unknown operand");
	return t.failed ? 2 : !yes;
}

static const struct applet applet_test = {"test", "/usr/bin", NULL, test_run};
APPLET(applet_test);
static const struct applet applet_bracket = {"[", "/usr/bin", NULL, test_run};
APPLET(applet_bracket);
static const struct applet applet_brackets = {"[[", "/usr/bin", NULL, test_run};
APPLET(applet_brackets);
