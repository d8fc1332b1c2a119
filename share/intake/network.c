#include "share/intake/network_inner.h"
#include <curl/curl.h>
#include <netdb.h>
#include <unistd.h>

int network_prepare(struct preparation *p)
{
	static const char *const paths[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl",
					    "/etc/host.conf", "/etc/gai.conf", "/usr/share/ca-certificates"};
	int bad = 0;
	for (size_t i = 0; i < sizeof paths / sizeof *paths && !bad; i++)
		if (access(paths[i], R_OK) == 0)
			bad = preparation_path(p, paths[i], false);
	return bad;
}

void network_load(void)
{
	struct addrinfo *list = NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (getaddrinfo("localhost", "80", NULL, &list) == 0)
		freeaddrinfo(list);
}
