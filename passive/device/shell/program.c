/*
 * What a command name runs: an applet when it leads to the persona's BusyBox, a pretence
 * for any other program, the shell for a text.  A file that the visitor brought in is
 * handed over for keeping before it "runs".
 */
#include "passive/device/shell/shell_inner.h"

const struct applet *applet_named(struct bytes name)
{
	APPLETS_EACH(it)
	if (bytes_equal_text(name, (*it)->name))
		return *it;
	return NULL;
}

void file_take(struct shell *sh, struct vfs_change *file, struct bytes name)
{
	struct vfs_status status;
	vfs_stat(vfs_node_of(file), &status);
	struct arena arena = ARENA(status.size + 4096);
	struct bytes content;
	if (vfs_is_written(file) && !vfs_was_taken(file) &&
	    vfs_content(vfs_node_of(file), &arena, &content) == 0) {
		vfs_set_taken(&sh->vfs, file);
		sh->hooks->captured(sh->owner, content, name, "echo");
	}
	arena_done(&arena);
}

int applet_run(struct shell *sh, struct arena *arena, const struct applet *a,
               const struct bytes *argv, size_t argc, const struct fds *fds)
{
	struct call c = {.shell = sh,
	                 .arena = arena,
	                 .name = a->name,
	                 .argv = argv,
	                 .argc = argc,
	                 .fds = fds,
	                 .applet = a};
	return a->run(&c);
}

static struct bytes base_name(struct bytes path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.at[i - 1] == '/')
			return (struct bytes){path.at + i, path.len - i};
	return path;
}

bool program_find(struct shell *sh, struct bytes name, char room[VFS_PATH_MAX], struct bytes *out)
{
	bool set;
	struct bytes path = variable_get(sh, BYTES("PATH"), &set);
	struct vfs_node n;
	struct vfs_status status;
	while (path.len) {
		size_t colon = bytes_find(path, ":");
		struct writer w = writer_of(room, VFS_PATH_MAX);
		write_bytes(&w, path.at, colon);
		write_u8(&w, '/');
		write_span(&w, name);
		path.at += colon + (colon < path.len);
		path.len -= colon + (colon < path.len);
		shell_spend(sh, 8);
		if (w.bad || vfs_find(&sh->vfs, writer_bytes(&w), true, &n))
			continue;
		vfs_stat(n, &status);
		if (status.kind != VFS_FILE || !(status.mode & 0111))
			continue;
		*out = writer_bytes(&w);
		return true;
	}
	return false;
}

/* #!/bin/sh, or no ELF at all: the shell reads it. */
static int run_script(struct shell *sh, struct bytes text, const struct bytes *argv, size_t argc,
                      const struct fds *fds, const char *name)
{
	struct shell_run *run = sh->run;
	struct subshell saved;
	const char *name_before = run->name;
	bool script_before = run->script;
	if (memchr(text.at, 0, text.len < 64 ? text.len : 64))
		return 0; /* binary after all; whatever it does, it does quietly */
	subshell_enter(sh, &saved);
	run->name = name;
	run->script = true;
	run->arguments = argv + 1;
	run->argument_count = argc - 1;
	int status = shell_run_text(sh, text, fds, false);
	if (run->flow != FLOW_NEXT)
		status = (int)sh->status;
	run->name = name_before;
	run->script = script_before;
	subshell_leave(sh, &saved);
	return status;
}

static int run_applet_of(struct shell *sh, struct arena *arena, struct bytes name,
                         const struct bytes *argv, size_t argc, const struct fds *fds)
{
	const struct applet *a = applet_named(name);
	if (a && persona_has_applet(sh->persona, name))
		return applet_run(sh, arena, a, argv, argc, fds);
	struct call c = {.shell = sh, .arena = arena, .fds = fds};
	call_say_error(&c, "%.*s: applet not found\n", BYTES_FMT(name));
	sh->unknown = true;
	return 127;
}

static int run_node(struct shell *sh, struct arena *arena, struct vfs_node n,
                    const struct bytes *argv, size_t argc, const struct fds *fds)
{
	struct bytes content, typed = argv[0];
	if (n.change)
		file_take(sh, n.change, typed);
	if (vfs_content(n, arena, &content))
		return 126;
	if (content.at == sh->persona->busybox_elf.at && content.len > 256)
		return run_applet_of(sh, arena, base_name(typed), argv, argc, fds);
	if (content.len == 0 || bytes_start_with(content, "\x7f"
	                                                  "ELF"))
		return 0;
	char *name = arena_text(arena, typed);
	return name ? run_script(sh, content, argv, argc, fds, name) : 126;
}

int program_run(struct shell *sh, struct arena *arena, const struct bytes *argv, size_t argc,
                const struct fds *fds)
{
	char room[VFS_PATH_MAX];
	struct bytes path = argv[0];
	struct vfs_node n;
	struct vfs_status status;
	bool has_slash = path.len && memchr(path.at, '/', path.len);
	if (!has_slash && (path.len == 0 || !program_find(sh, path, room, &path))) {
		shell_error(sh, fds, "%.*s: not found", BYTES_FMT(argv[0]));
		sh->unknown = true;
		return 127;
	}
	int error = vfs_find(&sh->vfs, path, true, &n);
	if (error) {
		shell_error(sh, fds, "%.*s: %s", BYTES_FMT(path),
		            error == -ENOENT ? "not found" : strerror(-error));
		sh->unknown |= error == -ENOENT;
		return error == -ENOENT ? 127 : 126;
	}
	vfs_stat(n, &status);
	if (status.kind != VFS_FILE || !(status.mode & 0111)) {
		shell_error(sh, fds, "%.*s: Permission denied", BYTES_FMT(path));
		return 126;
	}
	return run_node(sh, arena, n, argv, argc, fds);
}
