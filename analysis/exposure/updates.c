#include "analysis/exposure/updates_inner.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int add_path(const char *path, char **out, struct fault *fault)
{
	*out = realpath(path, NULL);
	return *out ? 0 : fault_set(fault, ERR_SYSTEM, "exposure: %s: %s", path, strerror(errno));
}

int updates_open(struct updates *u, const struct exposure_options *o, const char *state, struct fault *fault)
{
	u->options = o;
	int bad = 0;
	snprintf(u->index_path, sizeof u->index_path, "%s/" EXPOSURE_FOLDER "/" EXPOSURE_INDEX, state);
	for (size_t i = 0; i < o->nvd.count && i < UPDATE_FILES_MAX && !bad; i++) {
		bad = add_path(((const char *const *)o->nvd.items)[i], &u->nvd[i], fault);
		u->nvd_count += !bad;
	}
	return !bad && o->kev ? add_path(o->kev, &u->kev, fault) : bad;
}

void updates_close(struct updates *u)
{
	for (size_t i = 0; i < u->nvd_count; i++)
		free(u->nvd[i]);
	free(u->kev);
}

static void complain(struct updates *u, const struct fault *fault)
{
	if (u->fault_count < sizeof u->faults / sizeof *u->faults)
		u->faults[u->fault_count++] = *fault;
}

static void take_file(struct updates *u, struct import *import, int kind, const char *path)
{
	struct fault fault = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int bad = fd < 0 ? fault_set(&fault, ERR_SYSTEM, "%s: %s", path, strerror(errno))
			 : import_take(import, kind, fd, path, &fault);
	if (fd >= 0)
		close(fd);
	if (bad)
		complain(u, &fault);
}

static int is_feed(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return d->d_name[0] != '.' && ((n > 5 && !strcmp(d->d_name + n - 5, ".json")) ||
				       (n > 8 && !strcmp(d->d_name + n - 8, ".json.gz")));
}

static void take_path(struct updates *u, struct import *import, const char *path)
{
	struct dirent **names;
	int count = scandir(path, &names, is_feed, alphasort);
	if (count < 0) {
		take_file(u, import, IMPORT_NVD, path);
		return;
	}
	for (int i = 0; i < count; i++) {
		char file[2 * UPDATE_PATH_MAX];
		snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
		if (i < UPDATE_FILES_MAX)
			take_file(u, import, IMPORT_NVD, file);
		free(names[i]);
	}
	free(names);
}

/* In the thread: touches nothing but what belongs to the work. */
static void work(uv_work_t *w)
{
	struct updates *u = w->data;
	struct import *import;
	struct fault fault = {0};
	if (import_open(&import, u->index_path, &fault)) {
		complain(u, &fault);
		return;
	}
	for (size_t i = 0; i < u->nvd_count; i++)
		take_path(u, import, u->nvd[i]);
	if (u->kev)
		take_file(u, import, IMPORT_KEV, u->kev);
	u->changed = import_is_news(import);
	if (u->changed && import_finish(import, &fault))
		complain(u, &fault);
	u->counts = *import_counts(import);
	import_close(import);
}

static void worked(uv_work_t *w, int status)
{
	struct updates *u = w->data;
	(void)status;
	u->working = false;
	u->done(u);
}

void updates_begin(struct updates *u, uv_loop_t *loop)
{
	if (u->working || (!u->nvd_count && !u->kev))
		return;
	u->fault_count = 0;
	u->changed = false;
	u->work.data = u;
	u->working = uv_queue_work(loop, &u->work, work, worked) == 0;
}

bool updates_reopen(struct updates *u, struct weaknesses **index, struct fault *fault)
{
	struct stat st;
	struct weaknesses *fresh;
	fault->text[0] = '\0';
	int fd = open(u->index_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT) /* that: nothing was imported yet */
			fault_set(fault, ERR_SYSTEM, "%s: %s", u->index_path, strerror(errno));
		return false;
	}
	bool same = fstat(fd, &st) || (st.st_ino == u->seen.st_ino && st.st_mtim.tv_sec == u->seen.st_mtim.tv_sec &&
				       st.st_mtim.tv_nsec == u->seen.st_mtim.tv_nsec);
	int bad = same ? ERR_MISSING : weaknesses_open(&fresh, fd, u->index_path, fault);
	close(fd);
	if (same)
		return false;
	u->seen = st;
	if (bad)
		return false;
	weaknesses_close(*index);
	*index = fresh;
	return true;
}
