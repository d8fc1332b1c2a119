/*
 * In the parent, with the rights to capture: rings, a socket that hears of interfaces, the files of
 * signatures.  Without these rights the telescope sees nothing, which is said once; all else runs.
 */
#include "base/log.h"
#include "base/place.h"
#include "base/siphash.h"
#include "passive/telescope/live/live_inner.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <unistd.h>

static int give(struct preparation *p, const char *kind, const char *name, int fd, struct fault *fault)
{
	char full[PROCESS_NAME_MAX];
	int length = snprintf(full, sizeof full, "%s%s", kind, name);
	if (length < 0 || length >= PROCESS_NAME_MAX)
		return fault_set(fault, ERR_BAD, "telescope: %s: too long a name", name);
	return preparation_give(p, full, fd);
}

static int give_file(struct preparation *p, const char *path, unsigned *number, struct fault *fault)
{
	char name[48];
	const char *slash = strrchr(path, '/');
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, "telescope.signatures: %s: %s", path, strerror(errno));
	snprintf(name, sizeof name, "%03u:%.40s", (*number)++, slash ? slash + 1 : path);
	return give(p, LIVE_FD_SIGNATURES, name, fd, fault);
}

static int is_signature_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	return n > 5 && !strcmp(entry->d_name + n - 5, ".yaml") && entry->d_name[0] != '.';
}

/* The operator's files first: of two rules that match a packet the first one has it. */
static int give_signatures(struct preparation *p, const struct live_options *o, struct fault *fault)
{
	char directory[PLACE_PATH_MAX], path[PLACE_PATH_MAX + 256];
	const char *const *own = o->signatures.items;
	struct dirent **entries = NULL;
	unsigned number = 0;
	int bad = 0;
	for (size_t i = 0; i < o->signatures.count && !bad; i++)
		bad = give_file(p, own[i], &number, fault);
	if (bad)
		return bad;
	if (o->signatures_dir)
		snprintf(directory, sizeof directory, "%s", o->signatures_dir);
	else if (place_find("fingerprints/telescope", directory)) {
		if (preparation_worker(p) == 0)
			log_warning("telescope: no tool is told apart: fingerprints/telescope is not here; start in "
				    "the project's folder or name it in telescope.signatures_dir");
		return 0;
	}
	int n = scandir(directory, &entries, is_signature_file, alphasort);
	if (n < 0)
		return fault_set(fault, ERR_SYSTEM, "telescope.signatures_dir: %s: %s", directory, strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		if (!bad)
			bad = give_file(p, path, &number, fault);
		free(entries[i]);
	}
	free(entries);
	return bad;
}

/* Workers of an interface share a group, which the kernel keeps by number. */
static uint16_t group_of(size_t interface)
{
	unsigned pid = (unsigned)getpid();
	return (uint16_t)((pid ^ pid >> 16) * LIVE_INTERFACES_MAX + interface);
}

static int give_sender(struct preparation *p, const char *interface, struct fault *fault)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* 0: it hears nothing */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at))
		return fault_set(fault, ERR_SYSTEM, "telescope.interface: %s: cannot send: %s", interface,
				 strerror(errno));
	return give(p, LIVE_FD_SEND, interface, fd, fault);
}

static int give_interface(struct preparation *p, const struct live_options *o, size_t i, struct fault *fault)
{
	const char *name = ((const char *const *)o->interfaces.items)[i];
	const struct ring_wanted wanted = {name, o->ring, preparation_worker(p), preparation_workers(p),
					   group_of(i), o->promiscuous};
	int fd = ring_socket(&wanted, fault);
	int bad = fd < 0 ? fd : give(p, LIVE_FD_RING, name, fd, fault);
	return bad || !live_options_react(o) ? bad : give_sender(p, name, fault);
}

/* Also asks how things stand now; the process reads the answer. */
static int give_links(struct preparation *p, struct fault *fault)
{
	const struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	const struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} question = {{.nlmsg_len = sizeof question, .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}, {0}};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) ||
	    send(fd, &question, sizeof question, 0) < 0)
		return fault_set(fault, ERR_SYSTEM, "telescope: the kernel does not tell of interfaces: %s",
				 strerror(errno));
	return give(p, LIVE_FD_LINKS, "", fd, fault);
}

/*
 * Which addresses are held out is chosen by a secret that is drawn once and kept, so that they are
 * the same for all workers and for ever, and nobody can know them.
 */
static int give_hold_out_key(struct preparation *p, struct fault *fault)
{
	char path[PLACE_PATH_MAX];
	struct siphash_key key = siphash_draw();
	snprintf(path, sizeof path, "%s/telescope.key", preparation_state(p));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	bool kept = size == sizeof key || (size >= 0 && pwrite(fd, &key, sizeof key, 0) == sizeof key);
	int why = errno;
	if (fd >= 0)
		close(fd);
	fd = kept ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: the key of what is held out cannot be kept: %s", path,
				 strerror(why));
	return give(p, LIVE_FD_HOLD_OUT, "", fd, fault);
}

static int give_reactive(struct preparation *p, const struct live_options *o, struct fault *fault)
{
	if (!live_options_react(o))
		return 0;
	if (o->reactive.special && preparation_worker(p) == 0)
		log_warning("telescope.reactive.special: allow: sources in special-purpose ranges are answered, "
			    "which is right for laboratories only");
	return give_hold_out_key(p, fault);
}

int live_prepare(struct preparation *p, struct fault *fault)
{
	const struct live_options *o = live_options_of(preparation_config(p));
	int bad = live_options_check(preparation_config(p), fault);
	for (size_t i = 0; i < o->interfaces.count && !bad; i++)
		bad = give_interface(p, o, i, fault);
	if (bad == ERR_DENIED) {
		if (preparation_worker(p) == 0)
			log_warning("%s", fault->text);
		fault->text[0] = '\0';
		return 0;
	}
	if (!bad)
		bad = give_reactive(p, o, fault);
	if (!bad && preparation_worker(p) == 0)
		bad = give_links(p, fault);
	int ledger = bad ? bad : ledger_make(fault);
	bad = ledger < 0 ? ledger : give(p, LIVE_FD_LEDGER, "", ledger, fault);
	return bad ? bad : give_signatures(p, o, fault);
}
