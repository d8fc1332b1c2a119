/*
 * Variables and functions.  Each belongs to the level of subshell that set it: a subshell
 * puts its own in front and drops them when it ends, so nothing is copied beforehand.
 */
#include "passive/device/shell/shell_inner.h"

struct shell_variable *variable_find(const struct shell *sh, struct bytes name)
{
	for (struct shell_variable *v = sh->variables; v; v = v->next)
		if (bytes_equal(v->name, name))
			return v;
	return NULL;
}

/* What is set in a subshell lives as long as the line, else as long as the session. */
static struct arena *level_arena(struct shell *sh)
{
	return sh->run && sh->run->level ? sh->run->arena : sh->arena;
}

static unsigned level_now(const struct shell *sh)
{
	return sh->run ? sh->run->level : 0;
}

static struct shell_variable *variable_own(struct shell *sh, struct bytes name)
{
	struct shell_variable *v = variable_find(sh, name);
	if (v && v->level == level_now(sh))
		return v;
	if (sh->variable_count >= SHELL_VARIABLES_MAX)
		return NULL;
	struct shell_variable *own = arena_alloc(level_arena(sh), sizeof *own + name.len);
	if (!own)
		return NULL;
	memcpy(own + 1, name.at, name.len);
	own->name = (struct bytes){(const uint8_t *)(own + 1), name.len};
	own->level = (uint16_t)level_now(sh);
	if (v) {
		own->exported = v->exported;
		own->value = v->value;
		own->is_set = v->is_set;
	}
	own->next = sh->variables;
	sh->variables = own;
	sh->variable_count++;
	return own;
}

bool variable_set(struct shell *sh, struct bytes name, struct bytes value)
{
	struct shell_variable *v = variable_own(sh, name);
	if (!v || value.len > SHELL_VALUE_MAX)
		return false;
	if (v->room <= value.len) {
		size_t room = v->room ? 2 * v->room : 16;
		while (room <= value.len)
			room *= 2;
		uint8_t *at = arena_alloc(level_arena(sh), room);
		if (!at)
			return false;
		memcpy(at, value.at, value.len);
		v->value.at = at;
		v->room = room;
	} else {
		memmove((uint8_t *)(uintptr_t)v->value.at, value.at, value.len);
	}
	v->value.len = value.len;
	v->is_set = true;
	return true;
}

struct bytes variable_get(const struct shell *sh, struct bytes name, bool *is_set)
{
	const struct shell_variable *v = variable_find(sh, name);
	*is_set = v && v->is_set;
	if (*is_set)
		return v->value;
	const struct {
		const char *name;
		struct bytes value;
	} usual[] = {
	        {"PATH", BYTES("/sbin:/usr/sbin:/bin:/usr/bin")},
	        {"PWD", vfs_cwd(&sh->vfs)},
	        {"HOME", bytes_of_text(sh->persona->home)},
	        {"USER", BYTES("root")},
	        {"LOGNAME", BYTES("root")},
	        {"SHELL", BYTES("/bin/sh")},
	        {"TERM", BYTES("linux")},
	        {"IFS", BYTES(" \t\n")},
	        {"PS1", bytes_of_text(sh->persona->prompt)},
	        {"PS2", BYTES("> ")},
	        {"OPTIND", BYTES("1")},
	        {"PPID", BYTES("1206")},
	};
	for (size_t i = 0; !v && i < sizeof usual / sizeof *usual; i++)
		if (bytes_equal_text(name, usual[i].name)) {
			*is_set = true;
			return usual[i].value;
		}
	return BYTES("");
}

void variable_unset(struct shell *sh, struct bytes name)
{
	struct shell_variable *v = variable_own(sh, name);
	if (v) {
		v->value.len = 0;
		v->is_set = v->exported = false;
	}
}

void variable_export(struct shell *sh, struct bytes name)
{
	struct shell_variable *v = variable_own(sh, name);
	if (v)
		v->exported = true;
}

const struct shell_function *function_find(const struct shell *sh, struct bytes name)
{
	for (const struct shell_function *f = sh->functions; f; f = f->next)
		if (bytes_equal(f->name, name))
			return f;
	return NULL;
}

bool function_set(struct shell *sh, struct bytes name, struct bytes body)
{
	if (sh->function_count >= SHELL_FUNCTIONS_MAX)
		return false;
	struct arena *arena = level_arena(sh);
	struct shell_function *f = arena_alloc(arena, sizeof *f);
	struct bytes kept_name = arena_copy(arena, name), kept = arena_copy(arena, body);
	if (!f || !kept_name.at || !kept.at)
		return false;
	*f = (struct shell_function){sh->functions, kept_name, kept};
	sh->functions = f;
	sh->function_count++;
	return true;
}
