/* Any bytes from the far end of a link, as a hostile process would send them. */
#include "bus/bus.h"
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (event_start(NULL) || n > 60000)
		return 0;
	uv_loop_t loop;
	struct bus *bus;
	int fds[2];
	const struct bus_rights rights = {.sends = KIND_MASK_ALL, .guest = n % 2};
	if (uv_loop_init(&loop) || bus_open(&bus, &loop, "fuzz", 0, "here") ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) ||
	    bus_link(bus, fds[0], "peer", 0, &rights) || write(fds[1], data, n) < 0)
		__builtin_trap();
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	close(fds[1]);
	bus_free(bus);
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	return uv_loop_close(&loop) ? (__builtin_trap(), 0) : 0;
}
