/*
 * Reads a persona from YAML.  Unknown keys are errors with their line: a misspelt key
 * would otherwise make a decoy that silently differs from what its author meant.
 */
#include "passive/device/persona/load_inner.h"
#include "base/base64.h"
#include "passive/relay/backend.h"
#include "passive/service_options.h"
#include "passive/room/stack/stack.h"
#include "passive/device/tls/terms.h"
#include <dirent.h>
#include <stdlib.h>

#define SET_BYTES_MAX (64u << 20)
#define SCRATCH_BYTES_MAX (16u << 20)
#define BUSYBOX_SIZE 573440
#define OTHER_SIZE 94208
#define FIRMWARE_TIME_S 1364464800 /* when the files of the image say they were made */

int persona_complain(const struct load *l, const struct yaml_node *n, const char *what)
{
	return fault_set(l->fault, ERR_BAD, "%s:%u: %s%s%s", l->name, n->line, n->key ? n->key : "",
	                 n->key ? ": " : "", what);
}

int persona_read_text(const struct load *l, const struct yaml_node *n, const char **out)
{
	if (n->type != YAML_SCALAR || memchr(n->text.at, 0, n->text.len))
		return persona_complain(l, n, "a text is needed here");
	*out = arena_text(&l->set->arena, n->text);
	return *out ? 0 : persona_complain(l, n, "the personas need more memory than they may have");
}

int persona_read_bytes(const struct load *l, const struct yaml_node *n, struct bytes *out)
{
	if (n->type != YAML_SCALAR)
		return persona_complain(l, n, "a text is needed here");
	*out = arena_copy(&l->set->arena, n->text);
	return out->at ? 0 : persona_complain(l, n, "the personas need more memory than they may have");
}

/* Pictures stand in the file in base64. */
int persona_read_base64(const struct load *l, const struct yaml_node *n, struct bytes *out)
{
	uint8_t *room =
	        n->type == YAML_SCALAR ? arena_alloc(&l->set->arena, n->text.len + 1) : NULL;
	if (!room)
		return persona_complain(l, n, "a text in base64 is needed here");
	struct writer w = writer_of(room, n->text.len);
	base64_decode(n->text, &w);
	*out = writer_bytes(&w);
	return 0;
}

int persona_read_number(const struct load *l, const struct yaml_node *n, uint64_t max, uint64_t *out)
{
	if (n->type == YAML_SCALAR && bytes_number(n->text, max, out))
		return 0;
	char what[96];
	snprintf(what, sizeof what, "a number from 0 to %llu is needed here",
	         (unsigned long long)max);
	return persona_complain(l, n, what);
}

static int read_mode(const struct load *l, const struct yaml_node *n, uint16_t *out)
{
	uint16_t mode = 0;
	bool octal = n->type == YAML_SCALAR && n->text.len && n->text.len <= 4;
	for (size_t i = 0; octal && i < n->text.len; i++) {
		octal = n->text.at[i] >= '0' && n->text.at[i] <= '7';
		mode = (uint16_t)(mode << 3 | (n->text.at[i] - '0'));
	}
	if (!octal)
		return persona_complain(l, n, "an octal mode such as 755 is needed here");
	*out = mode;
	return 0;
}

/* Room for one struct per item of a list. */
int persona_read_list(const struct load *l, const struct yaml_node *n, size_t size, void **out,
                     size_t *count)
{
	if (n->type != YAML_LIST || n->count > LIST_MAX)
		return persona_complain(l, n, "a list is needed here, of at most 4096 items");
	*count = n->count;
	*out = arena_alloc(&l->set->arena, n->count * size + 1);
	return *out ? 0 : persona_complain(l, n, "the personas need more memory than they may have");
}

static int read_texts(const struct load *l, const struct yaml_node *n, const char *const **out,
                      size_t *count)
{
	void *room;
	int error = persona_read_list(l, n, sizeof(char *), &room, count);
	const char **at = room;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next)
		error = persona_read_text(l, c, at++);
	if (!error)
		*out = room;
	return error;
}

int persona_unknown(const struct load *l, const struct yaml_node *n)
{
	return persona_complain(l, n, "no such key; docs/personas.md lists them");
}

int persona_read_credentials(struct load *l, const struct yaml_node *n,
                            const struct persona_credential **out, size_t *count)
{
	void *room;
	int error = persona_read_list(l, n, sizeof(struct persona_credential), &room, count);
	struct persona_credential *x = room;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next, x++) {
		/* [user, secret] in brackets keeps a long dictionary readable. */
		if (c->type != YAML_LIST || c->count != 2)
			return persona_complain(l, c, "a pair [user, password] is needed here");
		error = persona_read_bytes(l, c->first, &x->user);
		if (!error)
			error = persona_read_bytes(l, c->first->next, &x->secret);
	}
	if (!error)
		*out = room;
	return error;
}

static int read_process(struct load *l, const struct yaml_node *n, struct persona_process *x)
{
	*x = (struct persona_process){.user = "root", .state = "S", .command = ""};
	YAML_EACH(n, c)
	{
		uint64_t v = 0;
		int error = 0;
		if (!strcmp(c->key, "pid") && !(error = persona_read_number(l, c, 99999, &v)))
			x->pid = (uint32_t)v;
		else if (!strcmp(c->key, "memory") && !(error = persona_read_number(l, c, 1u << 30, &v)))
			x->memory_kb = (uint32_t)v;
		else if (!strcmp(c->key, "user"))
			error = persona_read_text(l, c, &x->user);
		else if (!strcmp(c->key, "state"))
			error = persona_read_text(l, c, &x->state);
		else if (!strcmp(c->key, "command"))
			error = persona_read_text(l, c, &x->command);
		else if (!error)
			error = persona_unknown(l, c);
		if (error)
			return error;
	}
	return 0;
}

static int read_mount(struct load *l, const struct yaml_node *n, struct persona_mount *x)
{
	*x = (struct persona_mount){
	        .device = "none", .path = "/", .type = "tmpfs", .options = "rw"};
	YAML_EACH(n, c)
	{
		uint64_t v = 0;
		int error = 0;
		if (!strcmp(c->key, "device"))
			error = persona_read_text(l, c, &x->device);
		else if (!strcmp(c->key, "path"))
			error = persona_read_text(l, c, &x->path);
		else if (!strcmp(c->key, "type"))
			error = persona_read_text(l, c, &x->type);
		else if (!strcmp(c->key, "options"))
			error = persona_read_text(l, c, &x->options);
		else if (!strcmp(c->key, "size") && !(error = persona_read_number(l, c, 1u << 30, &v)))
			x->size_kb = (uint32_t)v;
		else if (!strcmp(c->key, "used") && !(error = persona_read_number(l, c, 1u << 30, &v)))
			x->used_kb = (uint32_t)v;
		else if (!error)
			error = persona_unknown(l, c);
		if (error)
			return error;
	}
	return 0;
}

static int read_processes(struct load *l, const struct yaml_node *n)
{
	void *room;
	int error =
	        persona_read_list(l, n, sizeof(struct persona_process), &room, &l->persona->process_count);
	struct persona_process *x = room;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next)
		error = c->type == YAML_MAP ? read_process(l, c, x++)
		                            : persona_complain(l, c, "a map is needed");
	if (!error)
		l->persona->processes = room;
	return error;
}

static int read_mounts(struct load *l, const struct yaml_node *n)
{
	void *room;
	int error = persona_read_list(l, n, sizeof(struct persona_mount), &room, &l->persona->mount_count);
	struct persona_mount *x = room;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next)
		error = c->type == YAML_MAP ? read_mount(l, c, x++)
		                            : persona_complain(l, c, "a map is needed");
	if (!error)
		l->persona->mounts = room;
	return error;
}

static int read_file(struct load *l, const struct yaml_node *n)
{
	const char *path = NULL;
	enum vfs_kind kind = VFS_FILE;
	uint16_t mode = 0;
	uint64_t elf = 0;
	struct bytes content = {0};
	YAML_EACH(n, c)
	{
		int error = 0;
		if (!strcmp(c->key, "path"))
			error = persona_read_text(l, c, &path);
		else if (!strcmp(c->key, "mode"))
			error = read_mode(l, c, &mode);
		else if (!strcmp(c->key, "text"))
			error = persona_read_bytes(l, c, &content);
		else if (!strcmp(c->key, "program"))
			error = persona_read_number(l, c, BUSYBOX_SIZE, &elf);
		else if (!strcmp(c->key, "link") && !(error = persona_read_bytes(l, c, &content)))
			kind = VFS_LINK;
		else if (!strcmp(c->key, "directory"))
			kind = VFS_DIRECTORY;
		else if (!error)
			error = persona_unknown(l, c);
		if (error)
			return error;
	}
	if (elf)
		content = (struct bytes){l->persona->other_elf.at,
		                         elf < OTHER_SIZE ? elf : OTHER_SIZE};
	if (mode == 0)
		mode = kind == VFS_FILE && !elf ? 0644 : kind == VFS_LINK ? 0777 : 0755;
	if (!path || !tree_add(l->tree, path, kind, mode, content))
		return persona_complain(l, n, "a file needs a path, with at most 24 directories above it");
	return 0;
}

static int read_files(struct load *l, const struct yaml_node *n)
{
	if (n->type != YAML_LIST)
		return persona_complain(l, n, "a list of files is needed here");
	int error = 0;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next)
		error = c->type == YAML_MAP ? read_file(l, c)
		                            : persona_complain(l, c, "a map is needed here");
	return error;
}

/* What lies there for attackers who search: only where the configuration wants it. */
static int read_lure(struct load *l, const struct yaml_node *n)
{
	int error = 0;
	if (n->type != YAML_MAP)
		return persona_complain(l, n, "a map with files and pages is needed here");
	for (const struct yaml_node *c = n->first; c && !error && l->set->lure; c = c->next)
		error = !strcmp(c->key, "files")   ? read_files(l, c)
		        : !strcmp(c->key, "pages") ? persona_read_pages(l, c)
		                                   : persona_unknown(l, c);
	return error;
}

static int read_tls(const struct load *l, const struct yaml_node *n, const char *path,
                    const struct tls_terms **out)
{
	char whole[128];
	struct tls_terms *t = arena_alloc(&l->set->arena, sizeof *t);
	if (!t)
		return persona_complain(l, n, "the personas need more memory than they may have");
	*out = t;
	snprintf(whole, sizeof whole, "%s%stls", path, *path ? "." : "");
	return tls_terms_read(n, l->name, whole, &l->set->arena, t, l->fault);
}

static int read_backend(const struct load *l, const struct yaml_node *n, const struct service *service,
                        const struct backend **out)
{
	char path[128];
	struct backend *b = arena_alloc(&l->set->arena, sizeof *b);
	if (!b)
		return persona_complain(l, n, "the personas need more memory than they may have");
	*out = b;
	snprintf(path, sizeof path, "services.%s.backend", service->name);
	return backend_read(n, service->name, l->name, path, &l->set->arena, b, l->fault);
}

static int read_service(const struct load *l, const struct yaml_node *n, struct persona_service *x)
{
	char all[1024], path[96];
	struct service_options o;
	const struct service *service = service_named(n->key);
	if (!service) {
		struct writer w = writer_of(all, sizeof all - 1);
		service_names(&w);
		*w.at = '\0';
		return fault_set(l->fault, ERR_BAD, "%s:%u: services.%s: there is no such service, there are:%s",
				 l->name, n->line, n->key, all);
	}
	snprintf(path, sizeof path, "services.%s", service->name);
	int error = service_options_read(service, service->device, service->device_size, n, l->name, path,
					 &l->set->arena, &o, l->fault);
	*x = (struct persona_service){.service = service,
	                              .ports = o.ports.items,
	                              .port_count = o.ports.count,
	                              .secure_ports = o.secure_ports.items,
	                              .secure_port_count = o.secure_ports.count,
	                              .device = o.own};
	if (!error && o.tls)
		error = read_tls(l, o.tls, path, &x->tls);
	if (!error && o.backend)
		error = read_backend(l, o.backend, service, &x->backend);
	return error;
}

static int read_services(struct load *l, const struct yaml_node *n)
{
	if (n->type != YAML_MAP)
		return persona_complain(l, n, "a map of services is needed here, such as {telnet: {ports: [23]}}");
	struct persona_service *x = arena_alloc(&l->set->arena, n->count * sizeof *x + 1);
	if (!x)
		return persona_complain(l, n, "the personas need more memory than they may have");
	l->persona->services = x;
	l->persona->service_count = n->count;
	int error = 0;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next)
		error = read_service(l, c, x++);
	return error;
}

static int read_arch(struct load *l, const struct yaml_node *n)
{
	static const char *const names[] = {"arm", "mips", "mipsel", "x86"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal_text(n->text, names[i])) {
			l->persona->arch = (enum persona_arch)i;
			return 0;
		}
	return persona_complain(l, n, "one of arm, mips, mipsel, x86 is needed here");
}

static int read_stack(struct load *l, const struct yaml_node *n)
{
	char all[512];
	struct writer w = writer_of(all, sizeof all - 1);
	int error = persona_read_text(l, n, &l->persona->stack);
	if (error || stack_known(l->persona->stack))
		return error;
	stack_names(&w);
	*w.at = '\0';
	return fault_set(l->fault, ERR_BAD, "%s:%u: stack: there is no look \"%s\", there are:%s", l->name, n->line,
			 l->persona->stack, all);
}

static int read_key(struct load *l, const struct yaml_node *n)
{
	struct persona *p = l->persona;
	const struct {
		const char *key, **to;
	} texts[] = {
	        {"name", &p->name},           {"summary", &p->summary},
	        {"hostname", &p->hostname},   {"machine", &p->machine},
	        {"kernel", &p->kernel},       {"kernel_build", &p->kernel_build},
	        {"busybox", &p->busybox},     {"busybox_date", &p->busybox_date},
	        {"prompt", &p->prompt},       {"home", &p->home},
	        {"interface", &p->interface}, {"mac_prefix", &p->mac_prefix},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!strcmp(n->key, texts[i].key))
			return persona_read_text(l, n, texts[i].to);
	uint64_t v = 0;
	int error = 0;
	if (!strcmp(n->key, "classes"))
		return read_texts(l, n, &p->classes, &p->class_count);
	if (!strcmp(n->key, "services"))
		return read_services(l, n);
	if (!strcmp(n->key, "tls"))
		return read_tls(l, n, "", &p->tls);
	if (!strcmp(n->key, "missing"))
		return read_texts(l, n, &p->missing, &p->missing_count);
	if (!strcmp(n->key, "stack"))
		return read_stack(l, n);
	if (!strcmp(n->key, "arch"))
		return read_arch(l, n);
	if (!strcmp(n->key, "login_banner"))
		return persona_read_bytes(l, n, &p->login_banner);
	if (!strcmp(n->key, "motd"))
		return persona_read_bytes(l, n, &p->motd);
	if (!strcmp(n->key, "memory_kb") && !(error = persona_read_number(l, n, 1u << 30, &v)))
		p->memory_kb = (uint32_t)v;
	else if (!strcmp(n->key, "accept_one_in") && !error)
		error = persona_read_number(l, n, UINT32_MAX, &p->accept_one_in);
	else if (!strcmp(n->key, "credentials"))
		error = persona_read_credentials(l, n, &p->credentials, &p->credential_count);
	else if (!strcmp(n->key, "processes"))
		error = read_processes(l, n);
	else if (!strcmp(n->key, "mounts"))
		error = read_mounts(l, n);
	else if (!strcmp(n->key, "http"))
		error = persona_read_http(l, n);
	else if (strcmp(n->key, "files") && strcmp(n->key, "lure") && !error)
		error = persona_unknown(l, n);
	return error;
}

static int build(struct load *l, const struct yaml_node *root)
{
	struct persona *p = l->persona;
	struct arena *keep = &l->set->arena;
	const struct yaml_node *files = yaml_child(root, "files");
	p->busybox_elf = elf_make(p, BUSYBOX_SIZE, keep);
	p->other_elf = elf_make(p, OTHER_SIZE, keep);
	if (!p->busybox_elf.at || !p->other_elf.at || !l->tree || tree_add_usual(l->tree, p, keep))
		return persona_complain(l, root, "the persona's files could not be made: too long a path?");
	const struct yaml_node *lure = yaml_child(root, "lure");
	int error = files ? read_files(l, files) : 0;
	if (!error && lure)
		error = read_lure(l, lure);
	if (error)
		return error;
	p->root = tree_seal(l->tree, p, keep);
	return p->root ? 0
	               : persona_complain(l, root, "the persona's file system is too deep or too large");
}

static int load(struct load *l, const struct yaml_node *root)
{
	struct persona *p = l->persona;
	if (root->type != YAML_MAP)
		return persona_complain(l, root, "a persona is a map that begins with name:");
	*p = (struct persona){
	        .summary = "",
	        .hostname = "(none)",
	        .machine = "armv5tejl",
	        .kernel = "3.0.8",
	        .kernel_build = "#1",
	        .busybox = "v1.16.1",
	        .busybox_date = "2013-03-28 17:34:27 CST",
	        .prompt = "# ",
	        .home = "/",
	        .memory_kb = 62316,
	        .interface = "eth0",
	        .mac_prefix = "00:12:16",
	        .bait = l->set->bait,
	};
	YAML_EACH(root, n)
	{
		int error = read_key(l, n);
		if (error)
			return error;
	}
	if (!p->name || !*p->name || strlen(p->name) > PERSONA_NAME_MAX)
		return persona_complain(l, root, "a persona needs a name of 1 to 31 letters");
	if (persona_named(l->set, p->name))
		return persona_complain(l, root, "another persona has that name already");
	return build(l, root);
}

int persona_read(struct persona_set *set, struct bytes document, const char *name,
                 struct fault *fault)
{
	struct arena scratch = ARENA(SCRATCH_BYTES_MAX);
	struct yaml_node *root;
	if (!set->arena.max)
		set->arena.max = SET_BYTES_MAX;
	struct persona *p = arena_alloc(&set->arena, sizeof *p);
	if (!p || set->count == PERSONAS_MAX)
		return fault_set(fault, ERR_FULL, "%s: at most %d personas can be loaded", name,
		                 PERSONAS_MAX);
	int error = yaml_read(document, name, &scratch, &root, fault);
	if (!error) {
		struct load l = {set, p, tree_new(&scratch, FIRMWARE_TIME_S), name, fault};
		error = load(&l, root);
	}
	if (!error)
		set->items[set->count++] = p;
	arena_done(&scratch);
	return error;
}

static int read_one(struct persona_set *set, const char *directory, const char *file,
                    struct fault *fault)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", directory, file);
	FILE *f = fopen(path, "re");
	if (!f)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	struct arena room = ARENA(PERSONA_FILE_BYTES_MAX + 256);
	uint8_t *text = arena_alloc(&room, PERSONA_FILE_BYTES_MAX);
	size_t n = text ? fread(text, 1, PERSONA_FILE_BYTES_MAX, f) : 0;
	fclose(f);
	int error = !text || n == PERSONA_FILE_BYTES_MAX
	                    ? fault_set(fault, ERR_FULL, "%s: longer than 1 MiB", path)
	                    : persona_read(set, (struct bytes){text, n}, path, fault);
	arena_done(&room);
	return error;
}

static int is_yaml(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 5 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 5, ".yaml");
}

int persona_read_directory(struct persona_set *set, const char *directory, struct fault *fault)
{
	struct dirent **list;
	int n = scandir(directory, &list, is_yaml, alphasort), error = 0;
	if (n < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", directory, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (!error)
			error = read_one(set, directory, list[i]->d_name, fault);
		free(list[i]);
	}
	free(list);
	return error;
}
