/*
 * Snapshots: a folder for a time, a file in it for each collection and format, and what they are.
 *
 * Nothing in it depends on when it was made, so the same snapshot again is the same bytes: whoever holds one can check
 * another.  The folder gets its name when all is in it.
 */
#include "cli/exports.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define NAME_BYTES 512

struct snapshot {
	struct desk *desk;
	const json_t *question;
	char folder[PATH_BYTES]; /* while it is made */
	json_t *files;
	FILE *sums;
};

static bool is_name(const char *word)
{
	return *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

static int take_one(struct snapshot *s, const char *collection, const char *format)
{
	char path[PATH_BYTES], named[PATH_BYTES], name[NAME_BYTES];
	json_t *q = json_deep_copy(s->question), *about = NULL;
	json_object_set_new(q, "collection", json_string(collection));
	json_object_set_new(q, "format", json_string(format));
	json_object_set_new(q, "action", json_string("snapshot"));
	if (!is_name(collection) || !is_name(format) ||
	    (size_t)snprintf(path, sizeof path, "%s/taking", s->folder) >= sizeof path) {
		json_decref(q);
		return fault_set(&s->desk->fault, ERR_BAD, "\"%.60s\" as \"%.60s\" makes no file's name", collection, format);
	}
	int bad = export_take(s->desk->state, q, path, &about, &s->desk->fault);
	if (bad)
		return bad;
	snprintf(name, sizeof name, "%s.%s.%s", collection, format, json_text_of(about, "extension"));
	if ((size_t)snprintf(named, sizeof named, "%s/%s", s->folder, name) >= sizeof named || rename(path, named)) {
		json_decref(about);
		return fault_set(&s->desk->fault, ERR_SYSTEM, "%s: %s", name, strerror(errno));
	}
	fprintf(s->sums, "%s  %s\n", json_text_of(about, "sha256"), name);
	json_object_set_new(about, "file", json_string(name));
	export_say(about);
	json_array_append_new(s->files, about);
	return 0;
}

static int take_all(struct snapshot *s, const struct arguments *a)
{
	int bad = 0;
	size_t collections = 0;
	for (const char *c; !bad && (c = arguments_flag_nth(a, "collection", collections)); collections++)
		for (size_t i = 0; i < arguments_count(a) && !bad; i++)
			bad = take_one(s, c, arguments_word(a, i));
	return bad || collections ? bad : fault_set(&s->desk->fault, ERR_BAD, "which --collection?");
}

static int keep_manifest(struct snapshot *s)
{
	char path[PATH_BYTES];
	static const char *const keys[] = {"from", "to", "organisation"};
	json_t *first = json_array_get(s->files, 0), *manifest = json_object();
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		json_object_set(manifest, keys[i], json_object_get(first, keys[i]));
	json_object_set(manifest, "files", s->files);
	int bad = (size_t)snprintf(path, sizeof path, "%s/manifest.json", s->folder) >= sizeof path ||
		  json_dump_file(manifest, path, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(manifest);
	return bad ? fault_set(&s->desk->fault, ERR_SYSTEM, "manifest.json cannot be written") : 0;
}

/* "2015-06-01T00:00:00.000000Z" as part of a name: "20150601T000000Z". */
static void squeeze(const char *time, char out[32])
{
	size_t n = 0;
	for (; *time && *time != '.' && n < 20; time++)
		if (*time != '-' && *time != ':' && *time != 'Z')
			out[n++] = *time;
	snprintf(out + n, 32 - n, "Z");
}

static void remove_folder(const char *path)
{
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

static int name_folder(struct snapshot *s, const char *folder, char final[PATH_BYTES])
{
	char from[32], to[32];
	const json_t *first = json_array_get(s->files, 0);
	squeeze(json_text_of(first, "from"), from);
	squeeze(json_text_of(first, "to"), to);
	if ((size_t)snprintf(final, PATH_BYTES, "%s/%s_%s%s%s", folder, from, to, *json_text_of(first, "organisation") ? "_" : "",
			     json_text_of(first, "organisation")) >= PATH_BYTES)
		return fault_set(&s->desk->fault, ERR_BAD, "%s: the path is too long", folder);
	return rename(s->folder, final)
		       ? fault_set(&s->desk->fault, ERR_SYSTEM, "%s: %s%s", final, strerror(errno),
				   errno == EEXIST || errno == ENOTEMPTY ? "; that snapshot was made before, and stays as it is" : "") : 0;
}

int export_snapshot(const struct arguments *a, struct desk *d, const char *folder, json_t *question)
{
	char path[PATH_BYTES], final[PATH_BYTES];
	struct snapshot s = {.desk = d, .question = question, .files = json_array()};
	int bad = 0;
	if (!*json_text_of(question, "to")) {
		json_decref(question);
		json_decref(s.files);
		return command_fail(2, "export: a snapshot needs --to, a time that is over, or it could not be made again");
	}
	if ((mkdir(folder, 0755) && errno != EEXIST) || (size_t)snprintf(s.folder, sizeof s.folder, "%s/.taking-%d", folder,
									 (int)getpid()) >= sizeof s.folder || mkdir(s.folder, 0755))
		bad = fault_set(&d->fault, ERR_SYSTEM, "%s: %s", folder, strerror(errno));
	if (!bad && ((size_t)snprintf(path, sizeof path, "%s/SHA256SUMS", s.folder) >= sizeof path || !(s.sums = fopen(path, "wbe"))))
		bad = fault_set(&d->fault, ERR_SYSTEM, "SHA256SUMS: %s", strerror(errno));
	bad = bad ? bad : take_all(&s, a);
	if (s.sums && fclose(s.sums) && !bad)
		bad = fault_set(&d->fault, ERR_SYSTEM, "SHA256SUMS: %s", strerror(errno));
	bad = bad ? bad : keep_manifest(&s);
	bad = bad ? bad : name_folder(&s, folder, final);
	if (bad && s.folder[0])
		remove_folder(s.folder);
	json_decref(s.files);
	json_decref(question);
	if (bad)
		return command_fail(1, "export: %s", d->fault.text);
	printf("%s\n", final);
	return 0;
}
