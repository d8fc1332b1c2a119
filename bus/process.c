/* The process's side of its life: told what it is, run, linked, stopped. */
#include "bus/process.h"
#include "base/log.h"
#include "bus/channel_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATHS_MAX 24

struct process_inner {
	struct process process; /* first: a struct process * is one of these */
	struct config config;
	struct bus_hooks hooks;
	struct sandbox_path paths[PATHS_MAX];
	size_t path_count;
	uint32_t uid; /* 0: stay who we are */
	char sensor[64], state[256];
	uv_poll_t channel;
	bool linked, stopping, ended;
};

const struct role *role_find(const char *name)
{
	ROLES_EACH(r)
		if (!strcmp((*r)->name, name))
			return *r;
	return NULL;
}

int process_fd(const struct process *p, const char *name)
{
	for (size_t i = 0; i < p->fds_count; i++)
		if (!strcmp(p->fds[i].name, name))
			return p->fds[i].fd;
	return -1;
}

const char *process_state(const struct process *p) { return ((const struct process_inner *)p)->state; }
const char *process_sensor(const struct process *p) { return ((const struct process_inner *)p)->sensor; }

static int take_config(struct process_inner *in, struct bytes name, int fd, struct fault *fault)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) || st.st_size > CONFIG_BYTES_MAX)
		return fault_set(fault, ERR_SYSTEM, "the configuration was not handed down");
	char *file = strndup((const char *)name.at, name.len);
	void *text = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	if (!file || text == MAP_FAILED)
		return fault_set(fault, ERR_MEMORY, "no memory for the configuration");
	int bad = config_read((struct bytes){text, (size_t)st.st_size}, file, &in->config, fault);
	if (text)
		munmap(text, (size_t)st.st_size);
	free(file);
	close(fd);
	in->process.config = &in->config;
	return bad;
}

static int take_place(struct process_inner *in, struct bytes body, struct fault *fault)
{
	struct reader r = reader_of_bytes(body);
	in->process.worker = read_u16(&r);
	in->process.workers = read_u16(&r);
	in->process.sandboxed = read_u8(&r) != 0;
	in->uid = read_u32(&r);
	bool fits = bytes_copy_text(read_bytes(&r, read_u16(&r)), in->sensor, sizeof in->sensor) &&
		    bytes_copy_text(read_bytes(&r, read_u16(&r)), in->state, sizeof in->state);
	return reader_ok(&r) && fits ? 0 : fault_set(fault, ERR_BAD, "the parent's message is malformed");
}

static int take_fd(struct process_inner *in, struct bytes name, int fd)
{
	struct process *p = &in->process;
	if (fd < 0 || p->fds_count == PROCESS_FDS_MAX)
		return ERR_FULL;
	struct process_fd *slot = &p->fds[p->fds_count];
	if (!bytes_copy_text(name, slot->name, sizeof slot->name))
		return ERR_BAD;
	slot->fd = fd;
	p->fds_count++;
	return 0;
}

static int take_path(struct process_inner *in, struct bytes body)
{
	if (body.len < 2 || in->path_count == PATHS_MAX)
		return ERR_FULL;
	char *path = strndup((const char *)body.at + 1, body.len - 1);
	if (!path)
		return ERR_MEMORY;
	in->paths[in->path_count++] = (struct sandbox_path){path, body.at[0] != 0};
	return 0;
}

/* Everything up to GO. */
static int take_start(struct process_inner *in, struct fault *fault)
{
	uint8_t room[CHANNEL_MESSAGE_MAX];
	enum channel_message type;
	struct bytes body;
	for (;;) {
		int fd = -1, bad = channel_receive(CHANNEL_FD, room, &type, &body, &fd, true);
		if (bad)
			return fault_set(fault, ERR_GONE, "the parent is gone");
		if (type == CHANNEL_GO)
			return 0;
		if (type == CHANNEL_CONFIG)
			bad = take_config(in, body, fd, fault);
		else if (type == CHANNEL_PLACE)
			bad = take_place(in, body, fault);
		else if (type == CHANNEL_FD_GIVEN)
			bad = take_fd(in, body, fd);
		else if (type == CHANNEL_PATH)
			bad = take_path(in, body);
		if (bad)
			return bad;
	}
}

static void stop_once(struct process_inner *in)
{
	if (in->stopping)
		return;
	in->stopping = true;
	if (in->hooks.stop)
		in->hooks.stop(in->hooks.arg);
	else
		process_leave(&in->process);
}

static void take_link(struct process_inner *in, struct bytes body, int fd)
{
	char role[PROCESS_NAME_MAX];
	struct reader r = reader_of_bytes(body);
	unsigned worker = read_u16(&r);
	if (!reader_ok(&r) || !bytes_copy_text(read_rest(&r), role, sizeof role) || fd < 0)
		return;
	const struct role *far = role_find(role);
	struct bus_rights rights = {0};
	if (far)
		rights = (struct bus_rights){.sends = far->sends, .relays = far->relays};
	else if (!strcmp(role, "parent"))
		rights.sends = KIND_MASK(EVENT_SENSOR_CHANGED);
	if (bus_link(in->process.bus, fd, role, worker, &rights))
		log_error("no link to %s could be made", role);
}

static void channel_event(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct process_inner *in = poll->data;
	uint8_t room[CHANNEL_MESSAGE_MAX];
	enum channel_message type;
	struct bytes body;
	int fd;
	for (;;) {
		int bad = status < 0 ? ERR_SYSTEM
				     : channel_receive(CHANNEL_FD, room, &type, &body, &fd, false);
		if (bad == ERR_GONE)
			return;
		if (bad) { /* the parent died: end in order */
			uv_poll_stop(poll);
			stop_once(in);
			return;
		}
		if (type == CHANNEL_LINK)
			take_link(in, body, fd);
		else if (type == CHANNEL_LINKED)
			in->linked = true;
		else if (type == CHANNEL_STOP)
			stop_once(in);
	}
}

/* Root without capabilities owns its files and is nobody special otherwise. */
static int drop_capabilities(struct fault *fault)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {0};
	if (syscall(SYS_capset, &header, none))
		return fault_set(fault, ERR_SYSTEM, "cannot drop capabilities: %s", strerror(errno));
	return 0;
}

static int drop_uid(uint32_t uid, struct fault *fault)
{
	if (geteuid() != 0)
		return 0;
	if (uid == 0)
		return drop_capabilities(fault);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return fault_set(fault, ERR_SYSTEM, "cannot become uid %u: %s", uid, strerror(errno));
	return 0;
}

int process_enter(struct process *p, const struct bus_hooks *hooks, struct fault *fault)
{
	struct process_inner *in = (struct process_inner *)p;
	in->hooks = *hooks;
	bus_set_hooks(p->bus, hooks);
	int door = process_fd(p, "door");
	if (door >= 0 && bus_door(p->bus, door))
		return fault_set(fault, ERR_SYSTEM, "the door for command lines cannot be watched");
	in->channel.data = in;
	if (uv_poll_init(p->loop, &in->channel, CHANNEL_FD))
		return fault_set(fault, ERR_SYSTEM, "the parent's channel cannot be watched");
	uv_poll_start(&in->channel, UV_READABLE, channel_event);
	int bad = drop_uid(in->uid, fault);
	unsigned rights = p->role->rights | (door >= 0 ? SANDBOX_ACCEPT : 0);
	if (!bad && p->sandboxed)
		bad = sandbox_enter(rights, in->paths, in->path_count, fault);
	if (bad)
		return bad;
	channel_send(CHANNEL_FD, CHANNEL_READY, (struct bytes){0}, -1);
	while (!in->stopping && !(in->linked && bus_linked(p->bus)))
		uv_run(p->loop, UV_RUN_ONCE);
	if (!in->stopping)
		return 0;
	while (!in->ended) /* told to stop before its work began */
		uv_run(p->loop, UV_RUN_ONCE);
	exit(0);
}

static void bus_is_closed(void *arg)
{
	struct process_inner *in = arg;
	in->ended = true;
	uv_stop(in->process.loop);
}

void process_leave(struct process *p) { bus_close(p->bus, bus_is_closed, p); }

int process_main(const char *role)
{
	static struct process_inner in;
	static struct process_fd fds[PROCESS_FDS_MAX];
	struct fault fault = {0};
	signal(SIGPIPE, SIG_IGN);
	/* A terminal or a service manager signals the whole group; the parent says who stops when. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	in.process.fds = fds;
	in.process.role = role_find(role);
	log_open(role, LOG_LEVEL_INFO);
	if (!in.process.role || fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC)) {
		log_error("started by hand; `kansoku run` starts processes");
		return 2;
	}
	int bad = event_start(&fault);
	if (!bad)
		bad = take_start(&in, &fault);
	if (!bad && in.process.workers > 1) {
		char who[PROCESS_NAME_MAX + 8];
		snprintf(who, sizeof who, "%s/%u", role, in.process.worker);
		log_open(who, LOG_LEVEL_INFO);
	}
	in.process.loop = uv_default_loop();
	if (!bad)
		bad = bus_open(&in.process.bus, in.process.loop, role, in.process.worker, in.sensor);
	if (!bad)
		bad = in.process.role->run(&in.process, &fault);
	if (!bad)
		return 0;
	const char *why = fault.text[0] ? fault.text : error_name(bad);
	log_error("%s", why);
	channel_send(CHANNEL_FD, CHANNEL_FAULT, bytes_of_text(why), -1);
	return 1;
}
