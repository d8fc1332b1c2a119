#include "share/exporting/exporting_inner.h"
#include "share/keys.h"
#include "share/view.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct exporting {
	struct exchange *exchange;
	struct export_wanted wanted;
	export_done_f *done;
	void *arg;
	struct selection selection;
	struct view *view;
	struct output_run *run;
	EVP_MD_CTX *digest;
	bool counting; /* the first of two passes */
	struct export_result result;
	struct fault fault;
	struct event seen;
	uint8_t key[VIEW_KEY_BYTES];
};

const char *exporting_producer(const struct exchange *x)
{
	const struct yaml_node *operator = x->process->config->root ? yaml_child(x->process->config->root, "operator") : NULL;
	const struct yaml_node *name = operator && operator->type == YAML_MAP ? yaml_child(operator, "name") : NULL;
	return name && name->type == YAML_SCALAR && name->text.len ? (const char *)name->text.at : process_sensor(x->process);
}

static void finish(struct exporting *x)
{
	output_close(x->run, false, NULL);
	view_close(x->view);
	EVP_MD_CTX_free(x->digest);
	if (x->result.fd >= 0)
		close(x->result.fd);
	memset(x->key, 0, sizeof x->key);
	free(x);
}

static void fail(struct exporting *x)
{
	if (x->done)
		x->done(x->arg, NULL, x->fault.text);
	finish(x);
}

static int sink(void *arg, struct bytes b)
{
	struct exporting *x = arg;
	if (b.len > EXPORT_BYTES_MAX - x->result.bytes)
		return fault_set(&x->fault, ERR_FULL, "the export is larger than %llu GiB; a shorter time would be right",
				 (unsigned long long)(EXPORT_BYTES_MAX >> 30));
	x->result.bytes += b.len;
	if (!EVP_DigestUpdate(x->digest, b.at, b.len))
		return fault_set(&x->fault, ERR_MEMORY, "no memory for a digest");
	while (b.len) {
		ssize_t n = write(x->result.fd, b.at, b.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fault_set(&x->fault, ERR_SYSTEM, "the export's file: %s", strerror(errno));
		b = (struct bytes){b.at + n, b.len - (size_t)n};
	}
	return 0;
}

/* An anonymised address belongs to a bystander, who would be blocked or reported. */
static int addresses_are_true(struct exporting *x)
{
	static const char *const samples[] = {"192.0.2.1", "8.8.8.8", "203.0.113.200", "2001:db8::1", "2a00:1450:4001::5e"};
	size_t changed = 0;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		struct address a, seen;
		address_parse(bytes_of_text(samples[i]), &a);
		seen = view_address(x->view, &a, FIELD_SRC);
		changed += !address_equal(&a, &seen);
	}
	/* One or another may be the operator's own. */
	return changed <= 1 ? 0 : fault_set(&x->fault, ERR_DENIED, "%s: its readers act on the addresses in it, and the policy \"%s\" "
					    "changes src: bystanders would be hit; a policy with src: pass would be right",
					    x->wanted.output->name, x->wanted.policy);
}

/* NFS and older overlays have no file without a name; one whose name is gone is as good. */
static int open_unnamed(int directory)
{
	int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	unlinkat(directory, ".export", 0);
	fd = openat(directory, ".export", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		unlinkat(directory, ".export", 0);
	return fd;
}

static int open_parts(struct exporting *x)
{
	struct exchange *e = x->exchange;
	const struct export_wanted *w = &x->wanted;
	const bool others = w->collection->kinds & KIND_MASK(EVENT_RECORD_IMPORTED);
	struct view_about view = {.config = e->process->config, .policy = w->policy};
	keys_derive(e->keys, w->organisation, w->policy, x->key);
	memcpy(view.key, x->key, sizeof view.key);
	int bad = view_open(&x->view, &view, &x->fault);
	memset(view.key, 0, sizeof view.key);
	bad = bad || !w->output->true_addresses ? bad : addresses_are_true(x);
	if (bad)
		return bad;
	x->result.marking = others || w->collection->tlp > w->tlp_max ? w->tlp_max : w->collection->tlp;
	x->result.fd = open_unnamed(e->directory);
	x->digest = EVP_MD_CTX_new();
	if (x->result.fd < 0 || !x->digest || !EVP_DigestInit_ex(x->digest, EVP_sha256(), NULL))
		return fault_set(&x->fault, ERR_SYSTEM, "a file for the export cannot be made: %s", strerror(errno));
	const struct output_about about = {
		.collection = w->collection->name, .title = w->collection->title ? w->collection->title : w->collection->name,
		.producer = exporting_producer(e), .from_us = w->from_us, .to_us = w->to_us, .time_us = w->made_us,
		.marking = tlp_name(x->result.marking), .key = x->key,
	};
	return output_open(&x->run, w->output, &about, sink, x, &x->fault);
}

static bool on_event(void *arg, const struct event *e)
{
	struct exporting *x = arg;
	if (!x->done)
		return false;
	if (collection_marking(x->wanted.collection, e) > x->wanted.tlp_max) {
		x->result.withheld += !x->counting;
		return true;
	}
	if (x->counting) {
		view_count(x->view, e);
		return true;
	}
	view_event(x->view, e, &x->seen);
	return output_event(x->run, &x->seen) == 0;
}

static int ask(struct exporting *x);

/* The line first, then the bytes: what cannot be told must not go out. */
static int tell(struct exporting *x)
{
	const struct export_wanted *w = &x->wanted;
	char filter[64];
	snprintf(filter, sizeof filter, "count=%llu", (unsigned long long)w->count_max);
	const struct audit_entry entry = {
		.action = w->action, .organisation = w->organisation, .collection = w->collection->name,
		.format = w->output->name, .marking = tlp_name(w->tlp_max), .policy = w->policy,
		.policy_version = x->exchange->process->config->version,
		.filter = w->count_max ? bytes_of_text(filter) : (struct bytes){0}, .objects = x->result.objects,
		.from_us = w->from_us, .to_us = w->to_us, .made_us = w->made_us, .digest = x->result.digest,
	};
	return exchange_shared(x->exchange, &entry)
		       ? fault_set(&x->fault, ERR_SYSTEM, "the audit cannot be written, so nothing goes out") : 0;
}

static int complete(struct exporting *x)
{
	struct fault told = x->fault;
	x->result.objects = output_written(x->run);
	x->result.passed_over = output_passed_over(x->run);
	int bad = output_close(x->run, true, &x->fault);
	x->run = NULL;
	if (bad) {
		x->fault = told.text[0] ? told : x->fault; /* the sink's own words are the better ones */
		return bad;
	}
	if (!EVP_DigestFinal_ex(x->digest, x->result.digest, NULL) || lseek(x->result.fd, 0, SEEK_SET))
		return fault_set(&x->fault, ERR_SYSTEM, "the export's file cannot be read again");
	return tell(x);
}

static void on_selected(void *arg, int status, struct bytes why)
{
	struct exporting *x = arg;
	if (!x->done) {
		finish(x);
		return;
	}
	if (status && !x->fault.text[0])
		fault_set(&x->fault, status, "%.*s", (int)(why.len < 400 ? why.len : 400), why.len ? (const char *)why.at : "");
	if (!status && x->counting) {
		x->counting = false;
		status = ask(x);
		if (!status)
			return;
	}
	if (status || complete(x)) {
		fail(x);
		return;
	}
	x->done(x->arg, &x->result, NULL);
	x->result.fd = -1;
	finish(x);
}

static int ask(struct exporting *x)
{
	const struct select_hooks hooks = {.arg = x, .event = on_event, .done = on_selected};
	return select_begin(x->exchange->process->bus, &x->selection, &hooks, &x->fault);
}

int exporting_begin(struct exporting **out, struct exchange *e, const struct export_wanted *wanted, export_done_f *done,
		    void *arg, struct fault *fault)
{
	struct exporting *x = calloc(1, sizeof *x);
	if (!x)
		return fault_set(fault, ERR_MEMORY, "no memory for an export");
	x->exchange = e;
	x->wanted = *wanted;
	x->done = done;
	x->arg = arg;
	x->result.fd = -1;
	x->selection = (struct selection){.collection = wanted->collection, .from_us = wanted->from_us, .to_us = wanted->to_us,
					  .count_max = wanted->count_max};
	int bad = open_parts(x);
	x->counting = !bad && view_counts(x->view);
	bad = bad ? bad : ask(x);
	if (bad) {
		fault_set(fault, bad, "%s", x->fault.text);
		finish(x);
		return bad;
	}
	*out = x;
	return 0;
}

void exporting_forget(struct exporting *x) { x->done = NULL; }
