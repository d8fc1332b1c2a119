#include "bus/channel_inner.h"
#include "base/error.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

int channel_send(int channel, enum channel_message type, struct bytes body, int fd)
{
	uint8_t code = (uint8_t)type;
	struct iovec parts[2] = {{&code, 1}, {(void *)(uintptr_t)body.at, body.len}};
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = body.len ? 2 : 1};
	if (fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof control.room;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	ssize_t n;
	do
		n = sendmsg(channel, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? ERR_SYSTEM : 0;
}

int channel_receive(int channel, uint8_t room[CHANNEL_MESSAGE_MAX], enum channel_message *type,
		    struct bytes *body, int *fd, bool wait)
{
	struct iovec part = {room, CHANNEL_MESSAGE_MAX};
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
			   .msg_controllen = sizeof control.room};
	ssize_t n;
	do
		n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_GONE : ERR_SYSTEM;
	if (n == 0)
		return ERR_SYSTEM;
	*fd = -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	*type = room[0];
	*body = (struct bytes){room + 1, (size_t)n - 1};
	return 0;
}
