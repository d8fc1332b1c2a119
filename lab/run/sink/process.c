/*
 * The process of a sink: enters the namespace, makes it ready, gives away every right, serves.
 */
#include "base/clock.h"
#include "base/sandbox.h"
#include "lab/run/sink/serve.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIME_MS_USUAL 180000
#define FDS_MAX 4

int message_send(int fd, char letter, const void *body, size_t len, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec v[2] = {{&letter, 1}, {(void *)body, len}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = len ? 2 : 1};
	if (count) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(h), fds, count * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)(1 + len) ? 0 : ERR_GONE;
}

ssize_t message_receive(int fd, char *letter, void *body, size_t size, int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec v[2] = {{letter, 1}, {body, size}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = size ? 2 : 1, .msg_control = control.room,
			   .msg_controllen = sizeof control.room};
	for (size_t i = 0; i < count; i++)
		fds[i] = -1;
	ssize_t n;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
		size_t came = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < came; i++) {
			int one;
			memcpy(&one, CMSG_DATA(h) + i * sizeof(int), sizeof one);
			if (i < count)
				fds[i] = one;
			else
				close(one);
		}
	}
	return n > 0 ? n - 1 : -1;
}

/*
 * The namespace belongs to a user namespace: entering that one first leaves every right over the host
 * behind.  Where it belongs to our own (a test made it) there is nothing to leave.
 */
static int join(int netns, struct fault *fault)
{
	int owner = ioctl(netns, NS_GET_USERNS);
	bool entered = owner >= 0 && setns(owner, CLONE_NEWUSER) == 0;
	if (owner >= 0)
		close(owner);
	if (setns(netns, CLONE_NEWNET))
		return fault_set(fault, ERR_DENIED, "sink: its network namespace cannot be entered%s: %s",
				 entered ? "" : " nor the user namespace that it belongs to", strerror(errno));
	return 0;
}

/* What is left is to set up that one network, and nothing elsewhere. */
static int drop_capabilities(void)
{
	const uint32_t kept = 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW | 1u << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {{.effective = kept, .permitted = kept}};
	return syscall(SYS_capset, &head, caps) ? ERR_SYSTEM : 0;
}

/* No size of it changes any more, so that who reads it cannot be made to fall off its end. */
static int shared_make(uint8_t **out)
{
	int fd = memfd_create("sink", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	void *at = MAP_FAILED;
	if (!ftruncate(fd, (off_t)SHARED_SIZE) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		at = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		close(fd);
		return -1;
	}
	*out = at;
	return fd;
}

static int prepare(struct server *s, int netns, const struct veil_key *key, int *shared, struct fault *fault)
{
	const pid_t parent = getppid();
	int bad = join(netns, fault);
	if (bad)
		return bad;
	if (drop_capabilities())
		return fault_set(fault, ERR_SYSTEM, "sink: capset: %s", strerror(errno));
	/* Entering a user namespace cleared it; whoever died meanwhile is noticed by the closed socket. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return fault_set(fault, ERR_GONE, "sink: whoever started it is gone");
	bad = land_open(&s->land, fault);
	*shared = bad ? -1 : shared_make(&s->shared);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!bad && (*shared < 0 || s->epoll < 0 || world_open(&s->world, WORLD_ADDRESSES_MAX)))
		bad = fault_set(fault, ERR_MEMORY, "sink: no memory");
	if (bad)
		return bad;
	s->world.box = s->land.box;
	bad = veil_side_open(&s->secure, key, fault);
	if (!bad)
		bad = watch_open(&s->watch, &s->world, s->land.link, s->began_us, s->shared + SHARED_FINDINGS,
				 SHARED_CAPTURE, fault);
	if (!bad)
		bad = sandbox_enter(SANDBOX_ACCEPT | SANDBOX_CONNECT, NULL, 0, fault);
	return bad;
}

_Noreturn void sink_process(int control, int netns, int egress, const struct sink_order *order,
			    const struct veil_key *key)
{
	struct server *s = calloc(1, sizeof *s);
	struct fault fault = {0};
	int shared = -1;
	if (!s)
		_exit(1);
	*s = (struct server){.control = control, .egress = egress, .leaves = &order->egress,
			     .served = order->served, .began_us = clock_utc_us(),
			     .began_mono_us = clock_mono_us(), .time_ms = order->time_ms ? order->time_ms : TIME_MS_USUAL};
	prctl(PR_SET_NAME, "kansoku-sink");
	int bad = prepare(s, netns, key, &shared, &fault);
	close(netns);
	if (bad) {
		message_send(control, 'F', fault.text, strlen(fault.text), NULL, 0);
		_exit(1);
	}
	if (message_send(control, 'R', NULL, 0, &shared, 1))
		_exit(1);
	close(shared);
	serve(s);
	_exit(0);
}
