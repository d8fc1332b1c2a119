/* A map of networks as another process may find it: refused, or looked up without harm. */
#include "base/network_map.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const addresses[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1"};
	char path[64], country[3];
	struct network_map *map;
	struct fault fault;
	int fd = memfd_create("map", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (network_map_open(&map, AT_FDCWD, path, &fault) == 0) {
		for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
			struct address a;
			struct network_place place;
			address_parse(bytes_of_text(addresses[i]), &a);
			network_map_find(map, &a, &place);
			if (strlen(place.name) + strlen(place.labels) + strlen(place.as_name) > n)
				abort();
		}
		network_map_as(map, 64500, country);
		network_map_close(map);
	}
	close(fd);
	return 0;
}
