#include "store/embedded/library.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__x86_64__)
#define PACKAGE "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
#else
#define PACKAGE "node_modules/@chdb/lib-linux-arm64-gnu/libchdb.so"
#endif

/* The program lies in build/ of a source tree, somewhere below it, or in bin/ of an installation. */
#define FOLDERS_UP 6
static const char *const places[] = {"", "lib/kansoku/"};
static const char *const system_places[] = {"/usr/lib/kansoku/libchdb.so",
					    "/usr/local/lib/libchdb.so", "/usr/lib/libchdb.so"};

static bool readable(const char *path) { return access(path, R_OK) == 0; }

static bool find_beside_program(char path[4096])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return false;
	self[n] = '\0';
	char *folder = self;
	for (int up = 0; up < FOLDERS_UP && strlen(folder) > 1; up++) {
		folder = dirname(folder);
		for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
			int length = snprintf(path, 4096, "%s/%s" PACKAGE, folder, places[i]);
			if (length > 0 && length < 4096 && readable(path))
				return true;
		}
	}
	return false;
}

bool chdb_find(const char *option, char path[4096])
{
	char unused[4096];
	path = path ? path : unused;
	if (option && *option) {
		int length = snprintf(path, 4096, "%s", option);
		return length < 4096 && readable(path);
	}
	if (find_beside_program(path))
		return true;
	for (size_t i = 0; i < sizeof system_places / sizeof *system_places; i++) {
		snprintf(path, 4096, "%s", system_places[i]);
		if (readable(path))
			return true;
	}
	return false;
}

struct symbol {
	const char *name;
	void **place;
};

#define SYMBOL(member) {"chdb_" #member, (void **)&c->member}

static const char *missing_symbol(struct chdb *c)
{
	const struct symbol symbols[] = {
		SYMBOL(version), SYMBOL(set_signal_handlers_enabled), SYMBOL(connect),
		SYMBOL(close_conn), SYMBOL(query_n), SYMBOL(stream_query_n),
		SYMBOL(stream_fetch_result), SYMBOL(stream_cancel_query),
		SYMBOL(destroy_query_result), SYMBOL(stream_insert_n), SYMBOL(stream_append),
		SYMBOL(stream_done), SYMBOL(stream_insert_error), SYMBOL(stream_cancel_insert),
		SYMBOL(destroy_insert_stream), SYMBOL(result_buffer), SYMBOL(result_length),
		SYMBOL(result_error), SYMBOL(result_rows_written), SYMBOL(backup_database_n),
		SYMBOL(classify_query_n),
	};
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		*symbols[i].place = dlsym(c->opened, symbols[i].name);
		if (!*symbols[i].place)
			return symbols[i].name;
	}
	return NULL;
}

/* It takes what waits on standard input for the rows of an INSERT, also where the query has its own. */
static void stdin_close_to_it(void)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nothing < 0)
		return;
	dup2(nothing, STDIN_FILENO);
	close(nothing);
}

int chdb_open(struct chdb *c, const char *option, struct fault *fault)
{
	if (!chdb_find(option, c->path)) {
		bool named = option && *option;
		return fault_set(fault, ERR_MISSING,
				 "store.library: %s%s; run `npm ci --ignore-scripts` in kansoku's folder, "
				 "or name a libchdb.so in store.library",
				 named ? option : "chDB's library was found nowhere",
				 named ? " cannot be read" : "");
	}
	stdin_close_to_it();
	/* Loading blocks SIGPIPE in the calling thread; ours stay as they were. */
	sigset_t before;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	c->opened = dlopen(c->path, RTLD_NOW | RTLD_LOCAL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!c->opened)
		return fault_set(fault, ERR_MISSING,
				 "store.library: %s cannot be loaded (%s); chDB 26.7 for this processor is "
				 "needed, in a program built without ASan or TSan", c->path, dlerror());
	const char *missing = missing_symbol(c);
	if (missing)
		return fault_set(fault, ERR_MISSING,
				 "store.library: %s has no function %s; chDB 26.7 or newer is needed",
				 c->path, missing);
	c->set_signal_handlers_enabled(0);
	return 0;
}

static void end_at_once(int status, void *unused)
{
	(void)unused;
	fflush(NULL);
	_exit(status);
}

/* What is registered last runs first: before the library's destructors meet its own threads. */
void chdb_leave(void) { on_exit(end_at_once, NULL); }
