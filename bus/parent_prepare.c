/* State directory, users, doors, descriptors: everything that is opened before a process starts. */
#include "base/log.h"
#include "bus/parent_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define UID_SPREAD 997

static const struct option run_option_table[] = {
	{.name = "state", .type = OPTION_TEXT, .offset = offsetof(struct run_options, state),
	 .fallback = "var", .summary = "directory for all that is kept; relative to the working directory"},
	{.name = "sensor", .type = OPTION_TEXT, .offset = offsetof(struct run_options, sensor),
	 .fallback = "local", .summary = "name of this machine in events"},
	{.name = "sandbox", .type = OPTION_BOOL, .offset = offsetof(struct run_options, sandbox),
	 .fallback = "yes", .summary = "seccomp and Landlock for every process; off only to debug"},
	{.name = "uid_base", .type = OPTION_NUMBER, .offset = offsetof(struct run_options, uid_base),
	 .fallback = "47000", .min = 1000, .max = 4000000000,
	 .summary = "with root, each role runs as its own uid from here on"},
	{0},
};

static const struct section run_section = {
	{.name = "run", .type = OPTION_MAP, .fields = run_option_table,
	 .summary = "where and as whom the processes run"},
	sizeof(struct run_options),
};
SECTION(run_section);

int run_state_path(const struct config *config, char *path, size_t n)
{
	const struct run_options *run = config_section(config, "run");
	char here[STATE_PATH_MAX];
	if (run->state[0] == '/')
		here[0] = '\0';
	else if (!getcwd(here, sizeof here))
		return ERR_BAD;
	int len = snprintf(path, n, "%s%s%s", here, here[0] ? "/" : "", run->state);
	return len < 0 || (size_t)len >= n || len >= STATE_PATH_MAX ? ERR_BAD : 0;
}

const struct config *preparation_config(const struct preparation *p) { return p->config; }
const char *preparation_state(const struct preparation *p) { return p->state; }
unsigned preparation_worker(const struct preparation *p) { return p->worker; }
unsigned preparation_workers(const struct preparation *p) { return p->workers; }

int preparation_give(struct preparation *p, const char *name, int fd)
{
	if (p->given_count == GIVEN_MAX || strlen(name) >= PROCESS_NAME_MAX)
		return ERR_FULL;
	if (!p->given)
		p->given = calloc(GIVEN_MAX, sizeof *p->given);
	if (!p->given)
		return ERR_MEMORY;
	struct given *g = &p->given[p->given_count++];
	snprintf(g->name, sizeof g->name, "%s", name);
	g->fd = fd;
	return 0;
}

/* mkdir -p with 0700 for what is new; the last part belongs to the uid. */
static int make_directory(const char *path, uint32_t uid)
{
	char part[STATE_PATH_MAX + 64];
	size_t n = strlen(path);
	if (n >= sizeof part)
		return ERR_BAD;
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == n ? 0700 : 0711) && errno != EEXIST)
			return ERR_SYSTEM;
	}
	return uid && geteuid() == 0 && chown(path, uid, uid) ? ERR_SYSTEM : 0;
}

int preparation_path(struct preparation *p, const char *path, bool writable)
{
	if (p->path_count == sizeof p->paths / sizeof *p->paths)
		return ERR_FULL;
	char *to = p->paths[p->path_count].path;
	size_t room = sizeof p->paths[0].path;
	bool ours = path[0] != '/';
	int n = ours ? snprintf(to, room, "%s/%s", p->state, path) : snprintf(to, room, "%s", path);
	if (n < 0 || (size_t)n >= room)
		return ERR_BAD;
	if (ours && make_directory(to, p->uid))
		return ERR_SYSTEM;
	p->paths[p->path_count++].writable = writable;
	return 0;
}

/* The same role has the same uid for ever, since its files belong to it. */
static uint32_t role_uid(const struct run_options *run, const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return geteuid() == 0 ? (uint32_t)run->uid_base + h % UID_SPREAD : 0;
}

/* A folder above it that is closed to others (such as /root) keeps out who is not root. */
static bool others_reach(const char *path)
{
	char part[STATE_PATH_MAX];
	struct stat st;
	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/' || i >= sizeof part)
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (stat(part, &st) || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

/* A path in sun_path is at most 107 bytes; /proc/self/fd makes any directory short. */
static int open_door(struct parent *parent, struct child *child)
{
	char name[PROCESS_NAME_MAX + STATE_PATH_MAX];
	snprintf(name, sizeof name, "%s/run", parent->state);
	int directory = make_directory(name, 0) ? -1 : open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return ERR_SYSTEM;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d/%.40s.sock", directory, child->role->name);
	unlink(un.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0077);
	int bad = fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof un) || listen(fd, 16);
	umask(before);
	close(directory);
	return bad ? ERR_SYSTEM : preparation_give(&child->prepared, "door", fd);
}

static int prepare_child(struct parent *parent, const struct role *role, unsigned worker,
			 unsigned workers, struct fault *fault)
{
	if (parent->count == CHILDREN_MAX)
		return fault_set(fault, ERR_FULL, "more than %d processes are asked for", CHILDREN_MAX);
	struct child *c = &parent->children[parent->count++];
	c->parent = parent;
	c->role = role;
	c->channel = -1;
	c->prepared = (struct preparation){.config = parent->options->config, .state = parent->state,
					   .worker = worker, .workers = workers,
					   .uid = parent->own_uids ? role_uid(parent->run, role->name) : 0};
	if (role->door && open_door(parent, c))
		return fault_set(fault, ERR_SYSTEM, "%s/run/%s.sock: cannot be made: %s", parent->state,
				 role->name, strerror(errno));
	if (!role->prepare)
		return 0;
	int bad = role->prepare(&c->prepared, fault);
	if (bad && !fault->text[0])
		fault_set(fault, bad, "%s: %s", role->name, strerror(errno));
	return bad;
}

static bool is_wanted(const char *only, const char *role)
{
	if (!only)
		return true;
	size_t n = strlen(role);
	for (const char *at = only; (at = strstr(at, role)) != NULL; at += n)
		if ((at == only || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
			return true;
	return false;
}

static int role_order(const void *a, const void *b)
{
	const struct role *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static int take_lock(struct parent *parent, struct fault *fault)
{
	char path[STATE_PATH_MAX + 16];
	if (make_directory(parent->state, 0))
		return fault_set(fault, ERR_SYSTEM, "run.state: %s cannot be made: %s", parent->state,
				 strerror(errno));
	chmod(parent->state, geteuid() == 0 ? 0711 : 0700);
	snprintf(path, sizeof path, "%s/lock", parent->state);
	parent->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (parent->lock_fd < 0)
		return fault_set(fault, ERR_SYSTEM, "run.state: %s: %s; a directory that this user may write to "
				 "would be right", path, strerror(errno));
	if (flock(parent->lock_fd, LOCK_EX | LOCK_NB))
		return fault_set(fault, ERR_FULL,
				 "%s: another kansoku is using this directory; stop it or name another (run.state)",
				 parent->state);
	if (ftruncate(parent->lock_fd, 0) || dprintf(parent->lock_fd, "%d\n", getpid()) < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	return 0;
}

static int keep_config(struct parent *parent, struct fault *fault)
{
	struct bytes text = parent->options->config_text;
	parent->config_fd = memfd_create("kansoku-config", MFD_CLOEXEC);
	if (parent->config_fd < 0 || (text.len && write(parent->config_fd, text.at, text.len) != (ssize_t)text.len))
		return fault_set(fault, ERR_SYSTEM, "no memory file for the configuration: %s", strerror(errno));
	return 0;
}

int parent_prepare(struct parent *parent, struct fault *fault)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	parent->run = config_section(parent->options->config, "run");
	if (run_state_path(parent->options->config, parent->state, sizeof parent->state))
		return fault_set(fault, ERR_BAD, "run.state: longer than %d bytes", STATE_PATH_MAX);
	int bad = take_lock(parent, fault);
	if (!bad)
		bad = keep_config(parent, fault);
	char program[STATE_PATH_MAX] = ""; /* zeroed: readlink() writes no NUL */
	if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
		program[0] = '\0';
	parent->own_uids = others_reach(parent->state) && others_reach(program);
	if (!parent->own_uids && geteuid() == 0)
		log_warning("%s or %s lies in a folder that is closed to other users: processes stay root, "
			    "without capabilities, instead of having a user each; /opt and run.state under "
			    "/var/lib would be right", parent->state, program);
	const struct role *roles[CHILDREN_MAX];
	size_t n = 0;
	ROLES_EACH(r)
		if (n < CHILDREN_MAX)
			roles[n++] = *r;
	if (n)
		qsort(roles, n, sizeof *roles, role_order);
	for (size_t i = 0; i < n && !bad; i++) {
		unsigned workers = roles[i]->workers ? roles[i]->workers(parent->options->config) : 1;
		for (unsigned w = 0; w < workers && !bad && is_wanted(parent->options->only, roles[i]->name); w++)
			bad = prepare_child(parent, roles[i], w, workers, fault);
	}
	return bad;
}

static void hand_down_place(struct child *c)
{
	uint8_t room[512];
	struct writer w = writer_of(room, sizeof room);
	const char *sensor = c->parent->run->sensor;
	write_u16(&w, (uint16_t)c->prepared.worker);
	write_u16(&w, (uint16_t)c->prepared.workers);
	write_u8(&w, c->parent->run->sandbox);
	write_u32(&w, c->prepared.uid);
	write_u16(&w, (uint16_t)strlen(sensor));
	write_text(&w, sensor);
	write_u16(&w, (uint16_t)strlen(c->parent->state));
	write_text(&w, c->parent->state);
	channel_send(c->channel, CHANNEL_PLACE, writer_bytes(&w), -1);
}

void child_hand_down(struct child *c)
{
	const struct preparation *p = &c->prepared;
	channel_send(c->channel, CHANNEL_CONFIG, bytes_of_text(c->parent->options->config_file),
		     c->parent->config_fd);
	hand_down_place(c);
	for (size_t i = 0; i < p->given_count; i++)
		channel_send(c->channel, CHANNEL_FD_GIVEN, bytes_of_text(p->given[i].name), p->given[i].fd);
	for (size_t i = 0; i < p->path_count; i++) {
		uint8_t room[sizeof p->paths[0].path + 1];
		struct writer w = writer_of(room, sizeof room);
		write_u8(&w, p->paths[i].writable);
		write_text(&w, p->paths[i].path);
		channel_send(c->channel, CHANNEL_PATH, writer_bytes(&w), -1);
	}
	channel_send(c->channel, CHANNEL_GO, (struct bytes){0}, -1);
}
