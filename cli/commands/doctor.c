/*
 * kansoku doctor: each right or part that is missing here, what follows from that, and the
 * remedy.  It changes nothing and sends nothing.
 */
#include "box/box.h"
#include "bus/parent.h"
#include "bus/process.h"
#include "cli/command.h"
#include "event/event.h"
#include "lab/run.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FILES_WANTED 20000
#define SPACE_WANTED ((uint64_t)5 << 30)

enum finding { FINE, LIMITED, MISSING };

struct checkup {
	const struct config *config;
	char found[512]; /* what is so, or what is missing */
};

struct check {
	const char *name;
	enum finding (*look)(struct checkup *);
	const char *effect, *remedy; /* shown when it is not fine */
};

static enum finding say(struct checkup *c, enum finding f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum finding say(struct checkup *c, enum finding f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->found, sizeof c->found, fmt, ap);
	va_end(ap);
	return f;
}

/* Line "name:\tvalue" of our own status; hexadecimal. */
static uint64_t status_hex(const char *name)
{
	char line[256];
	unsigned long long value = 0;
	FILE *f = fopen("/proc/self/status", "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), ":\t%llx", &value);
	fclose(f);
	return value;
}

static bool has_capability(unsigned which) { return status_hex("CapEff") >> which & 1; }

static long number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	long v = -1;
	if (f) {
		if (fscanf(f, "%ld", &v) != 1)
			v = -1;
		fclose(f);
	}
	return v;
}

static enum finding look_seccomp(struct checkup *c)
{
	return sandbox_has_seccomp() ? say(c, FINE, "there") : say(c, MISSING, "this kernel has no seccomp");
}

static enum finding look_landlock(struct checkup *c)
{
	return sandbox_has_landlock() ? say(c, FINE, "there")
				      : say(c, LIMITED, "this kernel has no Landlock, or it is not enabled");
}

static enum finding look_net_admin(struct checkup *c)
{
	return has_capability(CAP_NET_ADMIN) ? say(c, FINE, "allowed")
					     : say(c, LIMITED, "no right to change routes (CAP_NET_ADMIN)");
}

static enum finding look_net_raw(struct checkup *c)
{
	return has_capability(CAP_NET_RAW) ? say(c, FINE, "allowed")
					   : say(c, LIMITED, "no right to capture packets (CAP_NET_RAW)");
}

static const struct yaml_node *child_of(const struct yaml_node *n, const char *key)
{
	return n && n->type == YAML_MAP ? yaml_child(n, key) : NULL;
}

/* Of a list of names, or of a single one; NULL: none. */
static const struct yaml_node *first_interface(const struct yaml_node *n)
{
	if (n && n->type == YAML_LIST)
		n = n->first;
	return n && n->type == YAML_SCALAR ? n : NULL;
}

static bool interfaces_exist(struct checkup *c, const struct yaml_node *n)
{
	for (; n; n = n->next) {
		char name[IF_NAMESIZE];
		if (bytes_copy_text(n->text, name, sizeof name) && if_nametoindex(name))
			continue;
		say(c, MISSING, "there is no interface %.*s", (int)n->text.len, (const char *)n->text.at);
		return false;
	}
	return true;
}

static enum finding look_telescope(struct checkup *c)
{
	const struct yaml_node *n = first_interface(child_of(yaml_child(c->config->root, "telescope"), "interface"));
	if (!n)
		return say(c, FINE, "not configured");
	if (!has_capability(CAP_NET_RAW))
		return say(c, LIMITED, "no right to capture packets (CAP_NET_RAW)");
	return interfaces_exist(c, n) ? say(c, FINE, "may capture") : MISSING;
}

static bool linux_from(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned is[2] = {0};
	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &is[0], &is[1]) == 2 &&
	       (is[0] > major || (is[0] == major && is[1] >= minor));
}

static enum finding look_stack(struct checkup *c)
{
	const struct yaml_node *stack = child_of(yaml_child(c->config->root, "passive"), "stack");
	const struct yaml_node *n = first_interface(child_of(stack, "interfaces"));
	if (!n)
		return say(c, LIMITED, "that of this machine: passive.stack.interfaces names none");
	if (!has_capability(CAP_NET_ADMIN) || !has_capability(CAP_BPF))
		return say(c, LIMITED, "no right to change packets (CAP_NET_ADMIN, CAP_BPF)");
	if (!linux_from(5, 12))
		return say(c, LIMITED, "this kernel is older than Linux 5.12");
	return interfaces_exist(c, n) ? say(c, FINE, "each decoy's own") : MISSING;
}

static enum finding look_ports(struct checkup *c)
{
	long first = number_in("/proc/sys/net/ipv4/ip_unprivileged_port_start");
	if (has_capability(CAP_NET_BIND_SERVICE) || (first >= 0 && first <= 23))
		return say(c, FINE, "all");
	return say(c, LIMITED, "only from port %ld on", first);
}

static enum finding look_uids(struct checkup *c)
{
	return geteuid() == 0 ? say(c, FINE, "each process has its own")
			      : say(c, LIMITED, "all processes run as uid %u", geteuid());
}

static enum finding look_files(struct checkup *c)
{
	struct rlimit r = {0};
	getrlimit(RLIMIT_NOFILE, &r);
	return say(c, r.rlim_max >= FILES_WANTED ? FINE : LIMITED, "%llu for each process",
		   (unsigned long long)r.rlim_max);
}

static enum finding look_backlog(struct checkup *c)
{
	long n = number_in("/proc/sys/net/core/somaxconn");
	return say(c, n >= 4096 ? FINE : LIMITED, "%ld connections may wait at a socket", n);
}

static enum finding look_conntrack(struct checkup *c)
{
	long n = number_in("/proc/sys/net/netfilter/nf_conntrack_max");
	long used = number_in("/proc/sys/net/netfilter/nf_conntrack_count");
	if (n < 0 || used <= 0)
		return say(c, FINE, "not in the way");
	return say(c, LIMITED, "connections are tracked, %ld of at most %ld", used, n);
}

static enum finding look_engine(struct checkup *c)
{
	const struct store_options *o = config_section(c->config, "store");
	char path[4096];
	if (!chdb_find(o->library, path))
		return say(c, MISSING, "chDB's library was not found");
	return say(c, FINE, "%.200s", path);
}

static enum finding look_directory(const char *path, struct checkup *c)
{
	if (access(path, R_OK | X_OK))
		return say(c, MISSING, "%.150s: %s", path, strerror(errno));
	return say(c, FINE, "%.200s", path);
}

static enum finding look_fingerprints(struct checkup *c) { return look_directory("fingerprints", c); }
static enum finding look_exposures(struct checkup *c) { return look_directory("exposures", c); }
static enum finding look_personas(struct checkup *c) { return look_directory("etc/personas", c); }

static enum finding look_space(struct checkup *c)
{
	char state[256];
	struct statvfs v;
	if (run_state_path(c->config, state, sizeof state))
		return say(c, MISSING, "run.state is too long a path");
	if (statvfs(state, &v) && statvfs(".", &v))
		return say(c, MISSING, "%.150s: %s", state, strerror(errno));
	uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return say(c, free_bytes >= SPACE_WANTED ? FINE : LIMITED, "%llu GiB free for %.150s",
		   (unsigned long long)free_bytes >> 30, state);
}

static enum finding look_contact(struct checkup *c)
{
	const struct yaml_node *op = yaml_child(c->config->root, "operator");
	const struct yaml_node *contact = op && op->type == YAML_MAP ? yaml_child(op, "contact") : NULL;
	return contact && contact->text.len ? say(c, FINE, "%.200s", (const char *)contact->text.at)
					    : say(c, LIMITED, "operator.contact is not configured");
}

static enum finding look_seed(struct checkup *c)
{
	const struct yaml_node *passive = yaml_child(c->config->root, "passive");
	bool own = passive && passive->type == YAML_MAP && yaml_child(passive, "seed");
	return own ? say(c, FINE, "your own") : say(c, LIMITED, "passive.seed is the one that everybody has");
}

static enum finding look_boxes(struct checkup *c)
{
	char text[1024];
	struct writer lacks = writer_of(text, sizeof text);
	bool can = box_possible(&lacks);
	const int n = (int)writer_used(&lacks);
	return !can || n ? say(c, LIMITED, "%.*s", n, text) : say(c, FINE, "one was tried");
}

static enum finding look_processors(struct checkup *c)
{
	char text[512];
	struct writer runs = writer_of(text, sizeof text);
	lab_runs(&runs);
	return say(c, access("/usr/bin/qemu-mips-static", X_OK) == 0 ? FINE : LIMITED, "%.*s", (int)writer_used(&runs), text);
}

static enum finding look_running(struct checkup *c)
{
	char state[256], path[300];
	if (run_state_path(c->config, state, sizeof state))
		return say(c, MISSING, "run.state is too long a path");
	snprintf(path, sizeof path, "%s/run/ready", state);
	return access(path, F_OK) == 0 ? say(c, FINE, "yes, with its state in %.150s", state)
				       : say(c, LIMITED, "not with its state in %.150s", state);
}

static const struct check checks[] = {
	{"seccomp", look_seccomp, "processes cannot be confined to the calls they need",
	 "run a kernel with CONFIG_SECCOMP_FILTER"},
	{"landlock", look_landlock, "file rights rest on seccomp and users alone",
	 "Linux 5.13 or later, with landlock in the kernel's lsm= list"},
	{"whole prefixes", look_net_admin, "decoys answer only on addresses this machine has already",
	 "start it as root, or give CAP_NET_ADMIN"},
	{"TTL of answers", look_net_raw, "host.answered says nothing of TTL, window and TCP options",
	 "start it as root, or give CAP_NET_RAW"},
	{"telescope", look_telescope, "dark addresses are not watched, everything else runs",
	 "start it as root, or give CAP_NET_RAW; name an interface that exists in telescope.interface"},
	{"TCP/IP look", look_stack, "nmap -O and p0f take every decoy for this machine's system",
	 "name the decoys' interface in passive.stack.interfaces; start it as root, on Linux 5.12 or later"},
	{"low ports", look_ports, "decoys cannot listen on 23 and 80; high ports work",
	 "start it as root, or lower net.ipv4.ip_unprivileged_port_start"},
	{"separate users", look_uids, "processes are told apart by sandboxes only, not by users",
	 "start it as root; it gives the rights away itself"},
	{"open files", look_files, "fewer sessions at once than the configuration allows",
	 "raise the limit of open files (ulimit -n, LimitNOFILE=)"},
	{"listen backlog", look_backlog, "bursts of connections are lost", "sysctl net.core.somaxconn=4096"},
	{"connection tracking", look_conntrack, "at its limit the kernel drops packets silently",
	 "exempt the decoys' prefixes (nft: notrack in a raw chain)"},
	{"store engine", look_engine, "events wait in the journal; nothing can be searched",
	 "npm ci --ignore-scripts, or name it in store.library"},
	{"fingerprints", look_fingerprints, "answers are kept but no host is identified",
	 "start in the project's folder, or name prober.fingerprints"},
	{"exposures", look_exposures, "answers are not judged by what they expose",
	 "start in the project's folder, or name exposure.rules"},
	{"personas", look_personas, "decoys have nothing to play",
	 "start in the project's folder, or name passive.personas"},
	{"disk", look_space, "a full disk stops the journal, and with it the decoys",
	 "free some, shorten store.retention, or move run.state"},
	{"boxes", look_boxes, "samples are read but not run, and no page is visited",
	 "install bubblewrap; allow user namespaces (sysctl user.max_user_namespaces); start it as root"},
	{"samples run", look_processors, "samples for other processors are read but not run",
	 "install qemu-user-static"},
	{"contact", look_contact, "nothing is probed: who looks must say who they are",
	 "set operator.contact and active.scope"},
	{"seed", look_seed, "names and serials of your decoys can be computed, and so recognised",
	 "set passive.seed to a secret of your own"},
	{"running", look_running, "queries, reports and the demo have nobody to ask", "./run"},
};

static void print_json(const struct check *k, enum finding f, const char *found, bool first)
{
	static const char *const words[] = {"fine", "limited", "missing"};
	char text[2048];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "%s{\"check\":\"%s\",\"finding\":\"%s\",\"found\":", first ? "[\n" : ",\n", k->name, words[f]);
	write_json_string(&w, bytes_of_text(found));
	write_fmt(&w, ",\"effect\":\"%s\",\"remedy\":\"%s\"}", f ? k->effect : "", f ? k->remedy : "");
	printf("%.*s", (int)writer_used(&w), text);
}

static int run(const struct arguments *a)
{
	static const char *const marks[] = {"ok  ", "note", "MISS"};
	static struct config config;
	struct fault fault = {0};
	bool json = arguments_flag(a, "json") != NULL;
	unsigned missing = 0;
	if (command_config(a, &config, &fault))
		return command_fail(1, "%s", fault.text);
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		struct checkup c = {.config = &config};
		enum finding f = checks[i].look(&c);
		missing += f == MISSING;
		if (json) {
			print_json(&checks[i], f, c.found, i == 0);
			continue;
		}
		printf("%s  %-20s %s\n", marks[f], checks[i].name, c.found);
		if (f)
			printf("      %-20s then: %s\n      %-20s remedy: %s\n", "", checks[i].effect, "",
			       checks[i].remedy);
	}
	if (json)
		puts("\n]");
	return missing ? 1 : 0;
}

static const struct command doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "say what is missing on this machine, what follows, and the remedy",
	.description = "Looks at rights, kernel, limits, parts and configuration. Changes nothing and sends\n"
		       "nothing. Exit status 1 when something that is needed is missing.",
	.run = run,
};
COMMAND(doctor);
