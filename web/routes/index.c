/* What there is: the API's own list, made from the routes. */
#include "web/route.h"
#include <stdlib.h>

#define ROUTES_MAX 128

static int route_order(const void *a, const void *b)
{
	const struct route *const *x = a, *const *y = b;
	return strcmp((*x)->path, (*y)->path);
}

static void index_serve(struct web_request *rq)
{
	const struct route *all[ROUTES_MAX];
	size_t n = 0;
	ROUTES_EACH(r)
		if (n < ROUTES_MAX)
			all[n++] = *r;
	qsort(all, n, sizeof *all, route_order);
	char text[16384];
	struct writer w = writer_of(text, sizeof text);
	write_text(&w, "{\"routes\":[");
	for (size_t i = 0; i < n; i++)
		write_fmt(&w, "%s{\"method\":\"%s\",\"path\":\"%s\",\"summary\":\"%s\"}", i ? ",\n" : "\n",
			  all[i]->method, all[i]->path, all[i]->summary);
	write_text(&w, "]}\n");
	web_reply(rq, 200, "application/json", writer_bytes(&w));
}

static const struct route api_index = {"GET", "/api/v1", "this list", index_serve};
ROUTE(api_index);
