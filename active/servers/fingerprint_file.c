/* Reading fingerprints of servers: a wrong one is named with its line and left out. */
#include "active/servers/fingerprint.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAST_BYTES 2 /* of a predicate on servers: fewer are met by chance */

struct reading {
	struct server_fingerprints *to;
	const char *file;
	int skipped;
	struct fault *first;
};

static void complain(struct reading *r, const struct yaml_node *at, const char *what)
{
	if (r->skipped++ == 0 && r->first && !r->first->text[0])
		fault_set(r->first, ERR_BAD, "%s:%u: %s", r->file, at->line, what);
}

static unsigned nibble(uint8_t c) { return isdigit(c) ? (unsigned)(c - '0') : (unsigned)(tolower(c) - 'a' + 10); }

/* In the arena, C's escapes resolved; false when there is a broken one, or too much. */
static bool text_read(struct reading *r, const struct yaml_node *n, struct bytes *out)
{
	if (n->type != YAML_SCALAR || n->text.len == 0 || n->text.len > 4 * SERVER_TOKEN_BYTES_MAX)
		return false;
	uint8_t *to = arena_alloc(&r->to->arena, n->text.len);
	size_t len = 0;
	for (size_t i = 0; to && i < n->text.len; i++) {
		uint8_t c = n->text.at[i];
		if (c == '\\') {
			const uint8_t kind = i + 1 < n->text.len ? n->text.at[++i] : 0;
			const bool hex = kind == 'x' && i + 2 < n->text.len && isxdigit(n->text.at[i + 1]) &&
					 isxdigit(n->text.at[i + 2]);
			if (hex) {
				c = (uint8_t)(nibble(n->text.at[i + 1]) << 4 | nibble(n->text.at[i + 2]));
				i += 2;
			} else if (kind == 'n' || kind == 'r' || kind == 't' || kind == '\\') {
				c = kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind == 't' ? '\t' : '\\';
			} else {
				return false;
			}
		}
		to[len++] = c;
	}
	*out = (struct bytes){to, len};
	return to && len <= SERVER_TOKEN_BYTES_MAX;
}

static bool texts_read(struct reading *r, const struct yaml_node *n, struct bytes *out, size_t most, size_t *count)
{
	if (!n)
		return true;
	if (n->type == YAML_SCALAR)
		return text_read(r, n, &out[(*count)++]);
	if (n->type != YAML_LIST || n->count > most)
		return false;
	YAML_EACH(n, it) {
		if (!text_read(r, it, &out[(*count)++]))
			return false;
	}
	return true;
}

static bool length_read(const struct yaml_node *n, struct predicate *p)
{
	if (!n)
		return true;
	if (n->type == YAML_SCALAR) {
		if (!bytes_number(n->text, SERVER_TOKEN_BYTES_MAX, &p->length_min))
			return false;
		p->length_max = p->length_min;
		return p->length_min > 0;
	}
	const struct yaml_node *min = n->type == YAML_MAP ? yaml_child(n, "min") : NULL;
	const struct yaml_node *max = n->type == YAML_MAP ? yaml_child(n, "max") : NULL;
	return (min || max) && (!min || bytes_number(min->text, SERVER_TOKEN_BYTES_MAX, &p->length_min)) &&
	       (!max || bytes_number(max->text, SERVER_TOKEN_BYTES_MAX, &p->length_max));
}

static size_t weight_of(const struct predicate *p)
{
	size_t bytes = p->starts.len + p->ends.len;
	for (size_t i = 0; i < p->contains_count; i++)
		bytes += p->contains[i].len;
	return bytes;
}

static const char *predicate_read(struct reading *r, const struct yaml_node *n, struct predicate *p)
{
	const struct yaml_node *starts = yaml_child(n, "starts"), *ends = yaml_child(n, "ends");
	if ((starts && !text_read(r, starts, &p->starts)) || (ends && !text_read(r, ends, &p->ends)) ||
	    !texts_read(r, yaml_child(n, "contains"), p->contains, SERVER_TOKENS_MAX, &p->contains_count))
		return "starts, ends and contains (up to six) are texts of up to 512 bytes with C's escapes";
	if (!length_read(yaml_child(n, "length"), p))
		return "length is a number up to 512, or {min: N, max: N}";
	if (weight_of(p) < LEAST_BYTES)
		return "starts, ends and contains name fewer than two bytes: that is met by chance";
	return NULL;
}

static bool is_known_key(const char *key)
{
	static const char *const keys[] = {"name", "family", "hello", "on", "starts", "contains",
					   "ends", "length", "note", "examples", "others"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static const char *word_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_child(map, key);
	return n && n->type == YAML_SCALAR && n->text.len && n->text.len < 64 ? (const char *)n->text.at : NULL;
}

static const char *fingerprint_fill(struct reading *r, const struct yaml_node *n, struct server_fingerprint *f)
{
	const struct yaml_node *hello = yaml_child(n, "hello"), *note = yaml_child(n, "note");
	const char *on = word_of(n, "on");
	YAML_EACH(n, it) {
		if (!is_known_key(it->key))
			return "a fingerprint has name, family, hello, on, starts, contains, ends, length, note, examples, others";
	}
	f->name = word_of(n, "name");
	f->family = word_of(n, "family");
	f->note = note && note->type == YAML_SCALAR ? (const char *)note->text.at : "";
	f->on = on && !strcmp(on, "banner") ? ON_BANNER : on && !strcmp(on, "neutral") ? ON_NEUTRAL : ON_ANSWER;
	if (!f->name || (!f->service && !f->family))
		return "a fingerprint has a name and, unless it is a service, a family, of up to 63 letters";
	if (on && f->on == ON_ANSWER && strcmp(on, "answer"))
		return "`on` is answer, banner or neutral";
	if (hello && !text_read(r, hello, &f->hello))
		return "hello is a text of up to 512 bytes with C's escapes";
	if (!texts_read(r, yaml_child(n, "examples"), f->examples, SERVER_EXAMPLES_MAX, &f->example_count) ||
	    !texts_read(r, yaml_child(n, "others"), f->others, SERVER_EXAMPLES_MAX, &f->other_count))
		return "examples and others are lists of up to sixteen texts with C's escapes";
	if (!f->example_count)
		return "a fingerprint has at least one example";
	return predicate_read(r, n, &f->says);
}

static void list_read(struct reading *r, const struct yaml_node *list, bool service)
{
	if (!list)
		return;
	if (list->type != YAML_LIST) {
		complain(r, list, "is not a list of fingerprints");
		return;
	}
	YAML_EACH(list, it) {
		struct server_fingerprint f = {.service = service, .file = r->file, .line = it->line};
		const char *wrong = it->type == YAML_MAP ? fingerprint_fill(r, it, &f) : "is not a map";
		if (!wrong && r->to->count == SERVER_FINGERPRINTS_MAX)
			wrong = "there are too many fingerprints of servers";
		if (wrong)
			complain(r, it, wrong);
		else
			r->to->items[r->to->count++] = f;
	}
}

int server_fingerprints_take(struct server_fingerprints *f, struct bytes yaml, const char *name, struct fault *first)
{
	struct yaml_node *root;
	struct fault fault = {{0}};
	struct reading r = {.to = f, .file = arena_text(&f->arena, bytes_of_text(name)), .first = first};
	if (!r.file || yaml_read(yaml, r.file, &f->arena, &root, &fault)) {
		if (first && !first->text[0])
			*first = fault;
		return ERR_BAD;
	}
	if (root->type != YAML_MAP) {
		complain(&r, root, "is not a map with servers and services");
		return ERR_BAD;
	}
	list_read(&r, yaml_child(root, "servers"), false);
	list_read(&r, yaml_child(root, "services"), true);
	return r.skipped;
}

static int file_take(struct server_fingerprints *f, const char *path, struct fault *first)
{
	struct stat st;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	int bad = ERR_BAD;
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= SERVER_FILE_MAX)
		text = malloc((size_t)st.st_size);
	if (text && read(fd, text, (size_t)st.st_size) == st.st_size)
		bad = server_fingerprints_take(f, (struct bytes){(uint8_t *)text, (size_t)st.st_size}, path, first);
	else if (first && !first->text[0])
		fault_set(first, ERR_BAD, "%s: cannot be read, is empty or is too large", path);
	if (fd >= 0)
		close(fd);
	free(text);
	return bad;
}

int server_fingerprints_read(struct server_fingerprints *f, const char *folder, size_t *skipped, struct fault *first)
{
	struct dirent **names = NULL;
	const int count = scandir(folder, &names, NULL, alphasort);
	if (count < 0)
		return ERR_MISSING;
	for (int i = 0; i < count; i++) {
		char path[4096];
		const char *dot = strrchr(names[i]->d_name, '.');
		if (dot && !strcmp(dot, ".yaml") &&
		    snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name) < (int)sizeof path) {
			const int bad = file_take(f, path, first);
			*skipped += bad < 0 ? 1 : (size_t)bad;
		}
		free(names[i]);
	}
	free(names);
	return 0;
}
