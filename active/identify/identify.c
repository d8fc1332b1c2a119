/*
 * Opening and closing the rules, and matching one banner.
 */
#include "active/identify/prefilter_inner.h"
#include "base/log.h"
#include "base/place.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void rules_complain(struct identify *id, const char *fmt, ...)
{
	if (id->skipped < IDENTIFY_COMPLAINTS_MAX) {
		struct fault *f = &id->complaints[id->skipped];
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(f->text, sizeof f->text, fmt, ap);
		va_end(ap);
	}
	id->skipped++;
}

static int identify_new(struct identify **out)
{
	struct identify *id = calloc(1, sizeof *id);
	if (!id)
		return ERR_MEMORY;
	id->arena = ARENA(RULES_ARENA_MAX);
	id->plain = malloc(IDENTIFY_BANNER_MAX);
	id->prefilters = arena_alloc(&id->arena, sizeof *id->prefilters);
	id->tally = arena_alloc(&id->arena, sizeof *id->tally);
	if (!id->plain || !id->prefilters || !id->tally || pattern_limits_open(id) != 0) {
		identify_close(id);
		return ERR_MEMORY;
	}
	*out = id;
	return 0;
}

/* FNV-1a, of which a few bits are enough for some tens of keys. */
static size_t key_bucket(const char *name)
{
	uint32_t hash = 2166136261;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619;
	return (hash ^ hash >> 16) % RULE_KEY_BUCKETS;
}

static void key_enter(struct identify *id, struct rule_key *k)
{
	struct rule_key **bucket = &id->buckets[key_bucket(k->name)];
	k->kind = banner_kind(k->name);
	k->next_in_bucket = *bucket;
	*bucket = k;
}

/* Hands the rules over, or nothing when there are none. */
static int identify_finish(struct identify *id, struct identify **out, struct fault *first,
			   size_t *skipped)
{
	if (first)
		*first = id->complaints[0];
	if (skipped)
		*skipped = id->skipped;
	for (struct rule_key *k = id->keys; k; k = k->next) {
		key_enter(id, k);
		if (prefilter_prepare(id, k) != 0) {
			identify_close(id);
			return fault_set(first, ERR_MEMORY, "fingerprints: no memory for the prefilter");
		}
	}
	if (id->rule_count) {
		*out = id;
		return 0;
	}
	bool bad = id->skipped > 0;
	identify_close(id);
	if (bad)
		return ERR_BAD;
	return fault_set(first, ERR_MISSING,
			 "fingerprints: there is no rule, name a directory that holds *.xml files");
}

static void read_open_file(struct identify *id, const char *path, int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > RULE_FILE_BYTES_MAX) {
		rules_complain(id, "%s:1: not a file of at most %d MiB", path,
			       RULE_FILE_BYTES_MAX >> 20);
		return;
	}
	struct buffer text = BUFFER((size_t)RULE_FILE_BYTES_MAX);
	uint8_t *room;
	ssize_t n = 0;
	while ((room = buffer_room(&text, 65536)) && (n = read(fd, room, 65536)) > 0)
		buffer_grown(&text, (size_t)n);
	if (n < 0)
		rules_complain(id, "%s:1: %s while it is read", path, strerror(errno));
	else
		recog_read(id, path, buffer_bytes(&text));
	buffer_done(&text);
}

static int is_rule_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	return n > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 4, ".xml") == 0;
}

static void read_directory(struct identify *id, const char *directory)
{
	struct dirent **entries = NULL;
	int n = scandir(directory, &entries, is_rule_file, alphasort);
	if (n < 0)
		rules_complain(id, "%s: %s, name a directory that can be read", directory,
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		char path[PLACE_PATH_MAX];
		int len = snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		int fd = len < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		if (fd >= 0) {
			read_open_file(id, path, fd);
			close(fd);
		} else {
			rules_complain(id, "%s: %s, make it readable", path, strerror(errno));
		}
		free(entries[i]);
	}
	free(entries);
}

int identify_open(struct identify **out, const char *const *directories, size_t n,
		  struct fault *first, size_t *skipped)
{
	struct identify *id;
	if (identify_new(&id) != 0)
		return fault_set(first, ERR_MEMORY, "fingerprints: no memory for the rules");
	for (size_t i = 0; i < n; i++)
		read_directory(id, directories[i]);
	return identify_finish(id, out, first, skipped);
}

int identify_open_files(struct identify **out, const struct identify_file *files, size_t n,
			struct fault *first, size_t *skipped)
{
	struct identify *id;
	if (identify_new(&id) != 0)
		return fault_set(first, ERR_MEMORY, "fingerprints: no memory for the rules");
	for (size_t i = 0; i < n; i++)
		recog_read(id, files[i].name, files[i].text);
	return identify_finish(id, out, first, skipped);
}

void identify_close(struct identify *id)
{
	if (!id)
		return;
	for (struct rule_key *k = id->keys; k; k = k->next) {
		for (struct rule_file *f = k->files; f; f = f->next)
			for (struct rule *r = f->first; r; r = r->next)
				pcre2_code_free(r->code);
		prefilter_close(k->prefilter);
	}
	if (id->prefilters)
		hs_free_scratch(id->prefilters->scratch);
	pattern_limits_close(id);
	arena_done(&id->arena);
	free(id->plain);
	free(id);
}

size_t identify_prefilter(struct identify *id, const char *cache, enum identify_build build)
{
	size_t missing = 0;
	id->prefilters->build = build;
	id->prefilters->cache = cache ? arena_text(&id->arena, bytes_of_text(cache)) : NULL;
	for (struct rule_key *k = id->keys; k; k = k->next) {
		if (k->prefilter->ready || (cache && prefilter_load(id, k, cache) == 0))
			continue;
		if (build == IDENTIFY_BUILD_NOW && prefilter_compile(id, k) == 0) {
			if (cache && prefilter_save(k, cache) != 0)
				log_debug("identify: the compiled rules of %s could not be kept in %s", k->name,
					  cache);
			continue;
		}
		missing++;
	}
	return missing;
}

uint64_t identify_given_up(const struct identify *id, const char **rule)
{
	*rule = id->tally->rule ? id->tally->rule->id : "";
	return id->tally->limited;
}

size_t identify_rule_count(const struct identify *id) { return id->rule_count; }

const char *identify_complaint(const struct identify *id, size_t i)
{
	return i < id->skipped && i < IDENTIFY_COMPLAINTS_MAX ? id->complaints[i].text : NULL;
}

struct rule_key *rules_key(const struct identify *id, const char *name)
{
	struct rule_key *k = id->buckets[key_bucket(name)];
	while (k && strcmp(k->name, name) != 0)
		k = k->next_in_bucket;
	return k;
}

bool identify_has_key(const struct identify *id, const char *key) { return rules_key(id, key); }

struct bytes identify_banner(const struct identify *id, const char *key, struct bytes banner)
{
	return banner_cut(banner_plain(id, banner_kind(key), banner));
}

bool identify_match(const struct identify *id, const char *key, struct bytes banner,
		    struct identify_hit *hit)
{
	struct rule_key *k = rules_key(id, key);
	if (!k)
		return false;
	struct bytes s = banner_cut(banner_plain(id, k->kind, banner));
	prefilter_seek(id, k, s);
	for (size_t i = 0; (i = prefilter_next(k, i)) < k->rule_count; i++)
		if (fingerprint_matches(id, k->rules[i], s)) {
			rule_fill(id, k->rules[i], s, hit);
			return true;
		}
	return false;
}

void identify_constants(const struct identify *id, const char *field,
			void (*each)(void *context, const char *rule, const char *value),
			void *context)
{
	for (const struct rule_key *k = id->keys; k; k = k->next)
		for (const struct rule_file *f = k->files; f; f = f->next)
			for (const struct rule *r = f->first; r; r = r->next)
				for (size_t i = 0; i < r->param_count; i++)
					if (r->params[i].value && strcmp(r->params[i].name, field) == 0)
						each(context, r->id, r->params[i].value);
}
