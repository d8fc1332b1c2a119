#include "cli/offline.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OFFLINE_WORDS_MAX 64

static int lock_take(const char *state, struct fault *fault)
{
	char path[512];
	snprintf(path, sizeof path, "%s/lock", state);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, ERR_GONE, "%s: %s; has kansoku ever run with this state directory?", path,
				 strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return fault_set(fault, ERR_DENIED, "%s: kansoku is running, but its store does not answer; "
						    "see its log", path);
	}
	return fd;
}

bool offline_running(const char *state)
{
	struct fault ignored;
	int fd = lock_take(state, &ignored);
	if (fd >= 0)
		close(fd);
	return fd == ERR_DENIED;
}

/* Files that are made now must belong to the store's own uid, or it could not use them again. */
static int become_owner(const char *tables, struct fault *fault)
{
	struct stat st;
	if (stat(tables, &st))
		return fault_set(fault, ERR_MISSING, "%s: %s; nothing was stored yet", tables, strerror(errno));
	if (geteuid() != 0 || st.st_uid == 0)
		return 0;
	if (setgroups(0, NULL) || setresgid(st.st_gid, st.st_gid, st.st_gid) ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid))
		return fault_set(fault, ERR_SYSTEM, "cannot become the owner of %s: %s", tables, strerror(errno));
	return 0;
}

/* What was typed, as the kernel keeps it: words that end in NUL. */
static size_t read_words(char *room, size_t size, char *words[OFFLINE_WORDS_MAX + 1])
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, room, size);
	size_t count = 0;
	if (fd >= 0)
		close(fd);
	if (n <= 0 || (size_t)n == size || room[n - 1])
		return 0;
	for (char *at = room; at < room + n && count < OFFLINE_WORDS_MAX; at += strlen(at) + 1)
		words[count++] = at;
	words[count] = NULL;
	return count;
}

void offline_program(const char *state)
{
	static char room[2 * QUESTION_MAX];
	char *words[OFFLINE_WORDS_MAX + 1];
	char self[4096], store[4104];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0 || offline_running(state))
		return;
	self[n] = '\0';
	snprintf(store, sizeof store, "%s-store", self);
	if (access(store, X_OK) == 0 && read_words(room, sizeof room, words))
		execv(store, words);
}

struct printing {
	bool (*part)(void *, struct bytes);
	void *arg;
};

static int print_part(void *arg, struct bytes b)
{
	struct printing *p = arg;
	return p->part(p->arg, b) ? 0 : ERR_GONE;
}

int offline_ask(const char *state, const struct config *config, struct bytes sql, enum answer_format f,
		bool private_too, bool (*part)(void *, struct bytes), void *arg, struct fault *fault)
{
	static struct chdb chdb;
	const struct store_options *o = config_section(config, "store");
	const struct engine_limits limits = {o->query.time_ms, o->query.memory, o->query.result,
					     (unsigned)o->query.threads};
	char tables[512];
	snprintf(tables, sizeof tables, "%s/" TABLES_FOLDER, state);
	struct engine *engine = NULL;
	struct engine_reader *reader = NULL;
	int lock = lock_take(state, fault);
	int bad = lock < 0 ? lock : chdb_open(&chdb, o->library, fault);
	bad = bad ? bad : become_owner(tables, fault);
	bad = bad ? bad : engine_open(&engine, &chdb, tables, &limits, fault);
	bad = bad ? bad : engine_prepare(engine, fault);
	bad = bad ? bad : engine_reader_open(&reader, engine, fault);
	struct printing printing = {part, arg};
	bad = bad ? bad : engine_ask(reader, sql, f, private_too, print_part, &printing, fault);
	chdb_leave(); /* the lock goes with the process */
	return bad;
}
