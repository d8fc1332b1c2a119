#include "bus/client.h"
#include "base/clock.h"
#include "bus/link_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* As in the parent: /proc/self/fd keeps the path short whatever the directory is called. */
static int knock(const char *state, const char *role, struct fault *fault)
{
	char path[512];
	snprintf(path, sizeof path, "%s/run", state);
	int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d/%.40s.sock", directory, role);
	int fd = directory < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) == 0) {
		close(directory);
		return fd;
	}
	fault_set(fault, ERR_GONE, "%s/%s.sock: %s; is kansoku running with this state directory?", path,
		  role, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (directory >= 0)
		close(directory);
	return ERR_GONE;
}

static int send_all(int fd, struct bytes b)
{
	while (b.len) {
		ssize_t n = send(fd, b.at, b.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_GONE;
		b.at += n;
		b.len -= (size_t)n;
	}
	return 0;
}

/* Takes complete messages; 1: another part may follow, 0: done, negative: failed. */
static int take_parts(struct buffer *in, client_part_f *part, void *arg, struct fault *fault)
{
	while (buffer_len(in) >= MESSAGE_HEADER) {
		struct reader r = reader_of_bytes(buffer_bytes(in));
		uint32_t length = read_u32(&r);
		enum message type = read_u8(&r);
		if (length < MESSAGE_HEADER || length > MESSAGE_MAX)
			return fault_set(fault, ERR_BAD, "the answer is malformed");
		struct bytes body = read_bytes(&r, length - MESSAGE_HEADER);
		if (!reader_ok(&r))
			return 1;
		struct reader b = reader_of_bytes(body);
		if (type == MESSAGE_ANSWER) {
			read_u32(&b);
			int status = (int32_t)read_u32(&b);
			bool more = read_u8(&b) != 0;
			struct bytes payload = read_rest(&b);
			if (status < 0)
				return fault_set(fault, status, "%.*s", (int)(payload.len < 400 ? payload.len : 400),
						 payload.len ? (const char *)payload.at : error_name(status));
			if (payload.len && !part(arg, payload))
				return 0;
			if (!more)
				return 0;
		}
		buffer_consume(in, length);
	}
	return 1;
}

#define GREETING_MS_MAX 5000

static int read_answer(int fd, client_part_f *part, void *arg, unsigned wait_ms_max, struct fault *fault)
{
	struct buffer in = BUFFER(LINK_IN_MAX);
	uint64_t begun = clock_mono_us() / 1000;
	bool greeted = false;
	int result = 1;
	while (result == 1) {
		/* The parent holds the door open while nobody stands behind it. */
		unsigned wait_ms = greeted || wait_ms_max < GREETING_MS_MAX ? wait_ms_max : GREETING_MS_MAX;
		uint64_t now = clock_mono_us() / 1000, deadline = begun + wait_ms;
		struct pollfd p = {fd, POLLIN, 0};
		if (now >= deadline || poll(&p, 1, (int)(deadline - now)) == 0) {
			result = greeted ? fault_set(fault, ERR_TIMEOUT, "no answer within %u s", wait_ms / 1000)
					 : fault_set(fault, ERR_GONE, "the process is not up; see kansoku's log");
			break;
		}
		uint8_t *room = buffer_room(&in, 1 << 16);
		ssize_t n = room ? recv(fd, room, 1 << 16, 0) : -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			result = fault_set(fault, ERR_GONE, "the process hung up before it had answered");
			break;
		}
		greeted = true;
		buffer_grown(&in, (size_t)n);
		result = take_parts(&in, part, arg, fault);
	}
	buffer_done(&in);
	return result;
}

int client_request(const char *state, const char *role, const char *topic, struct bytes payload,
		   client_part_f *part, void *arg, unsigned wait_ms_max, struct fault *fault)
{
	int fd = knock(state, role, fault);
	if (fd < 0)
		return fd;
	size_t topic_len = strlen(topic), size = MESSAGE_HEADER + 5 + topic_len + payload.len;
	uint8_t *room = payload.len <= BUS_PAYLOAD_MAX ? malloc(size) : NULL;
	if (!room) {
		close(fd);
		return fault_set(fault, ERR_FULL, "the question is larger than %u bytes", BUS_PAYLOAD_MAX);
	}
	struct writer w = writer_of(room, size);
	write_u32(&w, (uint32_t)size);
	write_u8(&w, MESSAGE_REQUEST);
	write_u32(&w, 1);
	write_u8(&w, (uint8_t)topic_len);
	write_text(&w, topic);
	write_span(&w, payload);
	int bad = send_all(fd, writer_bytes(&w));
	free(room);
	if (bad)
		fault_set(fault, bad, "the process hung up");
	else
		bad = read_answer(fd, part, arg, wait_ms_max, fault);
	close(fd);
	return bad;
}
