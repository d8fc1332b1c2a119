/* Pattern matching (POSIX.1 2.13): * ? [ ] with \ before what is meant literally. */
#include "passive/device/shell/shell_inner.h"

#define PARTS_MAX 16

/* [abc], [a-z], [!x]; the index behind it, or 0 when no bracket closes. */
static size_t match_bracket(struct bytes p, size_t i, uint8_t c, bool *yes)
{
	bool negated = i + 1 < p.len && (p.at[i + 1] == '!' || p.at[i + 1] == '^'), found = false;
	size_t start = i + 1 + negated;
	for (i = start; i < p.len; i++) {
		uint8_t low = p.at[i];
		if (low == ']' && i > start) {
			*yes = found != negated;
			return i + 1;
		}
		if (low == '\\' && i + 1 < p.len)
			low = p.at[++i];
		uint8_t high = low;
		if (i + 2 < p.len && p.at[i + 1] == '-' && p.at[i + 2] != ']') {
			i += 2;
			high = p.at[i];
			if (high == '\\' && i + 1 < p.len)
				high = p.at[++i];
		}
		found |= c >= low && c <= high;
	}
	return 0;
}

/* One element of the pattern against one byte; *next is behind the element. */
static bool match_one(struct bytes p, size_t i, uint8_t c, size_t *next)
{
	bool yes = false;
	*next = i + 1;
	if (p.at[i] == '?')
		return true;
	if (p.at[i] == '[') {
		size_t end = match_bracket(p, i, c, &yes);
		if (end) {
			*next = end;
			return yes;
		}
	}
	if (p.at[i] == '\\' && i + 1 < p.len) {
		*next = i + 2;
		return p.at[i + 1] == c;
	}
	return p.at[i] == c;
}

/* Only the last star needs to be tried again: linear in pattern times text at worst. */
bool pattern_matches(struct shell *sh, struct bytes p, struct bytes t)
{
	size_t i = 0, k = 0, star = SIZE_MAX, again = 0, next = 0;
	while (k < t.len) {
		if (i < p.len && p.at[i] == '*') {
			star = i++;
			again = k;
			continue;
		}
		if (i < p.len && match_one(p, i, t.at[k], &next)) {
			i = next;
			k++;
			continue;
		}
		if (star == SIZE_MAX || !shell_spend(sh, 1))
			return false;
		i = star + 1;
		k = ++again;
	}
	while (i < p.len && p.at[i] == '*')
		i++;
	return i == p.len;
}

static bool has_glob(struct bytes p)
{
	for (size_t i = 0; i < p.len; i++) {
		if (p.at[i] == '\\')
			i++;
		else if (p.at[i] == '*' || p.at[i] == '?' || p.at[i] == '[')
			return true;
	}
	return false;
}

struct globbing {
	struct shell *shell;
	struct arena *arena;
	struct words *out;
	struct bytes parts[PARTS_MAX];
	size_t part_count, before;
	uint8_t path[VFS_PATH_MAX];
};

static size_t path_add(struct globbing *g, size_t len, struct bytes name, bool literal)
{
	for (size_t i = 0; i < name.len; i++) {
		if (literal && name.at[i] == '\\' && i + 1 < name.len)
			i++;
		if (len + 2 >= sizeof g->path)
			return 0;
		g->path[len++] = name.at[i];
	}
	return len;
}

static void glob_part(struct globbing *, size_t part, size_t len);

static void glob_found(struct globbing *g, size_t part, size_t len)
{
	if (part + 1 < g->part_count) {
		g->path[len++] = '/';
		glob_part(g, part + 1, len);
		return;
	}
	struct bytes kept = arena_copy(g->arena, (struct bytes){g->path, len});
	if (kept.at)
		words_add(g->shell, g->arena, g->out, kept);
}

static void glob_part(struct globbing *g, size_t part, size_t len)
{
	struct bytes pattern = g->parts[part], here = {g->path, len};
	struct vfs_node n;
	struct vfs_child *children;
	size_t count, end;
	if (!shell_spend(g->shell, 64))
		return;
	if (!has_glob(pattern)) {
		end = path_add(g, len, pattern, true);
		if (end && vfs_find(&g->shell->vfs, (struct bytes){g->path, end}, true, &n) == 0)
			glob_found(g, part, end);
		return;
	}
	if (vfs_find(&g->shell->vfs, len ? here : BYTES("."), true, &n) ||
	    vfs_list(&g->shell->vfs, n, g->arena, &children, &count))
		return;
	for (size_t i = 0; i < count && shell_spend(g->shell, 4); i++) {
		struct bytes name = children[i].name;
		bool hidden = name.len && name.at[0] == '.';
		if ((hidden && pattern.at[0] != '.') || !pattern_matches(g->shell, pattern, name))
			continue;
		end = path_add(g, len, name, false);
		if (end)
			glob_found(g, part, end);
	}
}

bool pattern_files(struct shell *sh, struct arena *arena, struct bytes pattern, struct words *out)
{
	struct globbing g = {.shell = sh, .arena = arena, .out = out, .before = out->count};
	size_t start = 0;
	if (pattern.len && pattern.at[0] == '/')
		g.path[start++] = '/';
	for (size_t i = start; i <= pattern.len; i++) {
		if (i < pattern.len && pattern.at[i] != '/')
			continue;
		if (i > start) {
			if (g.part_count == PARTS_MAX)
				return false;
			g.parts[g.part_count++] = (struct bytes){pattern.at + start, i - start};
		}
		start = i + 1;
	}
	if (g.part_count)
		glob_part(&g, 0, pattern.at[0] == '/');
	return out->count > g.before;
}
