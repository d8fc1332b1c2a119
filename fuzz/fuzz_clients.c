/*
 * What servers of others answer to our clients: descriptions, pages, manifests, lists, streams, frames of hpfeeds and
 * redirects.  The first byte says which; names that become paths or requests must be harmless ones.
 */
#include "share/asking/client_inner.h"
#include "share/clients/answers_inner.h"
#include "share/reading/hpfeeds_inner.h"
#include "share/exporting/publication_inner.h"
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void read_taxii(struct bytes b, struct arena *arena, struct fault *fault)
{
	static struct answer_list list;
	struct taxii_page page;
	taxii_read(b, "one, two", arena, &list);
	for (size_t i = 0; i < list.count; i++)
		for (size_t j = 0; j < list.items[i].len; j++)
			must(list.items[i].at[j] > ' ');
	taxii_read_page(b, arena, &page, fault);
	virustotal_next(b, arena);
	dnsdb_ending(b);
}

static void read_lists(struct bytes b, struct arena *arena, struct fault *fault)
{
	struct misp_entry *entries;
	struct shadow_report *reports;
	size_t n;
	if (misp_read_manifest(b, arena, &entries, &n, fault) == 0)
		for (size_t i = 0; i < n; i++)
			must(strlen(entries[i].uuid) == 36 && !strpbrk(entries[i].uuid, "/.?"));
	if (shadow_read_list(b, arena, &reports, &n, fault) == 0)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < reports[i].id.len; j++)
				must(isalnum(reports[i].id.at[j]) || strchr("-_", reports[i].id.at[j]));
}

static void read_frames(struct bytes b)
{
	static uint8_t room[1 << 16];
	struct reader r = reader_of_bytes(b);
	struct hpfeeds_frame f, again;
	while (hpfeeds_read(&r, &f) == 1) {
		struct writer w = writer_of(room, sizeof room);
		hpfeeds_write(&w, &f);
		struct reader back = reader_of_bytes(writer_bytes(&w));
		must(w.bad || (hpfeeds_read(&back, &again) == 1 && bytes_equal(f.rest, again.rest) && bytes_equal(f.first, again.first)));
	}
}

static void follow(struct bytes b, struct fault *fault)
{
	const struct client_about about = {.source = "s", .url = "https://api.example.org/v2/", .directory = -1};
	char text[CLIENT_URL_MAX], url[CLIENT_URL_MAX];
	if (bytes_copy_text(b, text, sizeof text) && client_resolve(&about, text, url, fault) == 0)
		must(!strncasecmp(url, "https://api.example.org", 23) && (url[23] == '/' || url[23] == ':' || url[23] == '?' || !url[23]));
	if (bytes_copy_text(b, text, sizeof text))
		must(client_pause(text, 1700000000) <= CLIENT_PAUSE_S_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	struct arena arena = ARENA(16 << 20);
	struct fault fault = {0};
	struct publication_place place;
	const struct bytes b = {at + 1, n ? n - 1 : 0};
	if (!n)
		return 0;
	switch (at[0] % 5) {
	case 0:
		read_taxii(b, &arena, &fault);
		break;
	case 1:
		read_lists(b, &arena, &fault);
		break;
	case 2:
		read_frames(b);
		break;
	case 3:
		follow(b, &fault);
		break;
	case 4:
		json_decref(dshield_log(b));
		publication_place_read(b, &place);
		break;
	}
	arena_done(&arena);
	return 0;
}
