/* What a page makes the browser store; nobody in a box ever clicked on anything. */
#include "active/visit/browser/look_inner.h"

static struct seen_download *find(struct looking *l, const char *guid)
{
	for (size_t i = 0; i < l->download_count; i++)
		if (!strcmp(l->downloads[i].guid, guid))
			return &l->downloads[i];
	return NULL;
}

bool look_downloads_open(const struct looking *l)
{
	for (size_t i = 0; i < l->download_count; i++)
		if (!l->downloads[i].done)
			return true;
	return false;
}

static void take_begin(struct looking *l, const json_t *params)
{
	const char *guid = devtools_text(params, "guid");
	if (find(l, guid))
		return;
	if (l->download_count == VISIT_FILES_MAX) {
		look_limit(l, "files");
		devtools_call(l->devtools, "", "Browser.cancelDownload", json_pack("{s:s}", "guid", guid), NULL, 0);
		return;
	}
	struct seen_download *d = &l->downloads[l->download_count++];
	*d = (struct seen_download){.url = look_text_at(l, params, "url"), .name = look_text_at(l, params, "suggestedFilename")};
	snprintf(d->guid, sizeof d->guid, "%s", guid);
}

static void take_progress(struct looking *l, const json_t *params)
{
	const char *guid = devtools_text(params, "guid");
	struct seen_download *d = find(l, guid);
	if (!d)
		return;
	if (strcmp(devtools_text(params, "state"), "inProgress"))
		d->done = true;
	const double got = devtools_number(params, "receivedBytes"), all = devtools_number(params, "totalBytes");
	if (!d->done && !d->stopped && (got > VISIT_DOWNLOAD_MAX || all > VISIT_DOWNLOAD_MAX)) {
		d->stopped = d->done = true;
		look_limit(l, "file");
		devtools_call(l->devtools, "", "Browser.cancelDownload", json_pack("{s:s}", "guid", guid), NULL, 0);
	}
}

bool look_take_downloads(struct looking *l, const char *session, const char *method, const json_t *params)
{
	(void)session;
	if (!strcmp(method, "Browser.downloadWillBegin"))
		take_begin(l, params);
	else if (!strcmp(method, "Browser.downloadProgress"))
		take_progress(l, params);
	else
		return false;
	look_active(l);
	return true;
}
