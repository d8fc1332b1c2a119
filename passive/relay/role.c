/*
 * The role "relay": the one process that connects to the backends of high-interaction decoys.
 *
 * It stands in their network namespace, out of which nothing leads, before it loses its rights;
 * it parses nothing of what it passes on, and a worker can name a backend only by a persona and
 * one of its services.  It does not listen and reaches no file.
 */
#include "passive/relay/relay_inner.h"
#include "base/log.h"
#include "base/place.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERSONA_FD "persona:"

static const struct option relay_option_fields[] = {
        {.name = "namespace",
         .type = OPTION_TEXT,
         .offset = offsetof(struct relay_options, namespace),
         .summary = "network namespace of the backends, as `ip netns` names it, or its path; absent: there "
                    "is no relay, and the emulators serve alone"},
        {.name = "connections",
         .type = OPTION_NUMBER,
         .offset = offsetof(struct relay_options, connections),
         .fallback = "256",
         .min = 1,
         .max = RELAY_FARS_MAX,
         .summary = "to all backends together"},
        {0},
};

static const struct section relay_section = {
        .option = {.name = "relay", .type = OPTION_MAP, .fields = relay_option_fields,
                   .summary = "the process that connects to the backends of decoys"},
        .size = sizeof(struct relay_options),
};
SECTION(relay_section);

static unsigned relay_workers(const struct config *c)
{
	return ((const struct relay_options *)config_section(c, "relay"))->namespace ? 1 : 0;
}

static int relay_prepare(struct preparation *p, struct fault *fault)
{
	const struct relay_options *o = config_section(preparation_config(p), "relay");
	const struct passive_options *decoys = config_section(preparation_config(p), "passive");
	char path[PLACE_PATH_MAX], personas[PLACE_PATH_MAX] = "etc/personas";
	struct stat theirs, ours;
	snprintf(path, sizeof path, "%s%s", strchr(o->namespace, '/') ? "" : "/run/netns/", o->namespace);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, "relay.namespace: %s: %s; tools/backends makes one", path,
		                 strerror(errno));
	if (fstat(fd, &theirs) || stat("/proc/self/ns/net", &ours) ||
	    (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)) {
		close(fd);
		return fault_set(fault, ERR_BAD, "relay.namespace: %s is the namespace of kansoku itself, out of which "
		                 "a backend could reach; one of its own would be right", path);
	}
	int bad = preparation_give(p, RELAY_NAMESPACE_FD, fd);
	if (!decoys->personas_dir)
		place_find("etc/personas", personas);
	return bad ? bad : sockets_give_personas(p, decoys->personas_dir ? decoys->personas_dir : personas, fault);
}

static int persona_load(struct relay *r, const struct process_fd *f, struct fault *fault)
{
	struct stat st;
	if (fstat(f->fd, &st) || st.st_size > PERSONA_FILE_BYTES_MAX)
		return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", f->name, PERSONA_FILE_BYTES_MAX);
	size_t size = (size_t)st.st_size;
	uint8_t *text = malloc(size + 1);
	if (!text)
		return ERR_MEMORY;
	int bad = pread(f->fd, text, size, 0) == (ssize_t)size
	                  ? persona_read(&r->personas, (struct bytes){text, size}, f->name + strlen(PERSONA_FD), fault)
	                  : fault_set(fault, ERR_SYSTEM, "%s: cannot be read", f->name);
	free(text);
	return bad;
}

static int backends_load(struct relay *r, const struct process *p, struct fault *fault)
{
	int bad = 0;
	for (size_t i = 0; i < p->fds_count && !bad; i++)
		if (!strncmp(p->fds[i].name, PERSONA_FD, strlen(PERSONA_FD)))
			bad = persona_load(r, &p->fds[i], fault);
	for (size_t i = 0; i < r->personas.count && !bad; i++) {
		const struct persona *of = r->personas.items[i];
		for (size_t k = 0; k < of->service_count && !bad; k++) {
			if (!of->services[k].backend)
				continue;
			if (r->backend_count == RELAY_BACKENDS_MAX)
				bad = fault_set(fault, ERR_FULL, "more than %d backends", RELAY_BACKENDS_MAX);
			else
				r->backends[r->backend_count++] = (struct relay_backend){
				        .persona = of->name, .service = of->services[k].service->name,
				        .is = of->services[k].backend};
		}
	}
	return bad;
}

static bool zeros(const char *word)
{
	return strspn(word, "0") == strlen(word);
}

/* A way to anywhere: a default route that is not loopback's own refusal. */
static bool leads_out(FILE *routes, bool v6)
{
	char line[512], word[10][40];
	bool out = false;
	while (routes && fgets(line, sizeof line, routes)) {
		int n = sscanf(line, "%39s %39s %39s %39s %39s %39s %39s %39s %39s %39s", word[0], word[1], word[2],
		               word[3], word[4], word[5], word[6], word[7], word[8], word[9]);
		if (n == 10 && v6)
			out |= zeros(word[0]) && zeros(word[1]) && !strstr(line, " lo\n");
		else if (n >= 8 && !v6)
			out |= zeros(word[1]) && zeros(word[7]) && strcmp(word[0], "lo") != 0;
	}
	if (routes)
		fclose(routes);
	return out;
}

static int check_closed(struct fault *fault)
{
	if (leads_out(fopen("/proc/thread-self/net/route", "re"), false) ||
	    leads_out(fopen("/proc/thread-self/net/ipv6_route", "re"), true))
		return fault_set(fault, ERR_BAD, "relay.namespace: has a default route, by which a backend could reach "
		                 "out; one without would be right");
	struct if_nameindex *all = if_nameindex();
	for (struct if_nameindex *i = all; i && i->if_index; i++)
		if (strcmp(i->if_name, "lo"))
			log_warning("relay.namespace: has the interface %s; nothing that others can be reached by may hang "
			            "on it", i->if_name);
	if_freenameindex(all);
	return 0;
}

/* Sockets belong to the namespace in which they are made, so this is all the reach there will be. */
static int namespace_enter(const struct process *p, struct fault *fault)
{
	int fd = process_fd(p, RELAY_NAMESPACE_FD);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return fault_set(fault, ERR_SYSTEM, "relay.namespace: cannot be entered: %s; root would be right",
		                 strerror(errno));
	close(fd);
	return check_closed(fault);
}

static void on_stop(void *arg)
{
	struct relay *r = arg;
	relay_end_all(r, NULL);
	uv_close((uv_handle_t *)&r->sweep, NULL);
	process_leave(r->process);
}

static void on_unlinked(void *arg, struct bus_peer *peer, bool clean)
{
	(void)clean;
	relay_end_all(arg, peer);
}

static int relay_run(struct process *process, struct fault *fault)
{
	struct relay *r = calloc(1, sizeof *r);
	if (!r)
		return fault_set(fault, ERR_MEMORY, "relay: no memory to start with");
	r->process = process;
	r->options = config_section(process->config, "relay");
	LIST_INIT(&r->fars);
	int bad = namespace_enter(process, fault);
	if (!bad)
		bad = backends_load(r, process, fault);
	relay_topics(r);
	relay_sweep_start(r);
	const struct bus_hooks hooks = {.arg = r, .stop = on_stop, .unlinked = on_unlinked};
	if (!bad)
		bad = process_enter(process, &hooks, fault);
	if (bad) {
		free(r);
		return bad;
	}
	if (r->backend_count == 0)
		log_warning("relay: no persona names a backend");
	uv_run(process->loop, UV_RUN_DEFAULT);
	uv_run(process->loop, UV_RUN_NOWAIT);
	persona_set_done(&r->personas);
	free(r);
	return 0;
}

static const char *const talks_to[] = {"journal", NULL};

/* Optional: without it the emulators serve alone. */
static const struct role relay = {
        .name = "relay",
        .summary = "connects high-interaction decoys to their backends, within a namespace of their own",
        .rights = SANDBOX_CONNECT,
        .sends = KIND_MASK(EVENT_SENSOR_CHANGED),
        .talks_to = talks_to,
        .optional = true,
        .workers = relay_workers,
        .prepare = relay_prepare,
        .run = relay_run,
};
ROLE(relay);
