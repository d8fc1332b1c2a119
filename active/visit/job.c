/* Between the thread that drives browsers and the loop that serves their connections. */
#include "active/visit/job.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum wish { WISH_NOTHING, WISH_LISTEN, WISH_CONNECTIONS };

struct visit_job {
	uv_work_t work;
	uv_async_t async;
	uv_mutex_t lock;
	uv_cond_t answered;
	struct proxy_visit *proxy;
	struct box_keeper *keeper;
	struct visit_plan plan;
	void (*done)(void *arg, struct visit_job *);
	void *arg;
	_Atomic bool stopped;
	enum wish wish;             /* under the lock: what the thread waits for */
	int listener, result;
	struct visit_connection *out;
	size_t max, count, first;   /* first: of this look in the proxy's log */
	struct view *view;
	struct fault fault;
	bool freed, closed;
};

static int ask_loop(struct visit_job *j, enum wish wish)
{
	j->wish = wish;
	uv_async_send(&j->async);
	while (j->wish != WISH_NOTHING)
		uv_cond_wait(&j->answered, &j->lock);
	return j->result;
}

static int on_listening(void *arg, unsigned look, int listener)
{
	struct visit_job *j = arg;
	(void)look;
	uv_mutex_lock(&j->lock);
	j->listener = listener;
	const int bad = ask_loop(j, WISH_LISTEN);
	uv_mutex_unlock(&j->lock);
	return bad;
}

static size_t on_connections(void *arg, unsigned look, struct visit_connection *out, size_t max)
{
	struct visit_job *j = arg;
	(void)look;
	uv_mutex_lock(&j->lock);
	j->out = out;
	j->max = max;
	ask_loop(j, WISH_CONNECTIONS);
	const size_t count = j->count;
	uv_mutex_unlock(&j->lock);
	return count;
}

static bool on_stop(void *arg)
{
	struct visit_job *j = arg;
	return atomic_load(&j->stopped);
}

static void copy_connections(struct visit_job *j)
{
	size_t count;
	const struct proxy_connection *all = proxy_visit_log(j->proxy, &count);
	j->count = 0;
	for (size_t i = j->first; i < count && j->count < j->max; i++) {
		struct visit_connection *to = &j->out[j->count++];
		*to = (struct visit_connection){.bytes_in = all[i].bytes_in, .bytes_out = all[i].bytes_out, .port = all[i].port};
		snprintf(to->host, sizeof to->host, "%s", all[i].host);
		snprintf(to->reason, sizeof to->reason, "%s", all[i].reason);
		if (!address_is_zero(&all[i].address))
			address_format(&all[i].address, to->address);
	}
}

static void on_wish(uv_async_t *async)
{
	struct visit_job *j = async->data;
	uv_mutex_lock(&j->lock);
	if (j->wish == WISH_LISTEN) {
		proxy_visit_log(j->proxy, &j->first);
		j->result = proxy_visit_listen(j->proxy, j->listener);
	} else if (j->wish == WISH_CONNECTIONS) {
		copy_connections(j);
	}
	j->wish = WISH_NOTHING;
	uv_cond_signal(&j->answered);
	uv_mutex_unlock(&j->lock);
}

static void on_work(uv_work_t *work)
{
	struct visit_job *j = work->data;
	if (visit_run(&j->view, j->keeper, &j->plan, &j->fault))
		j->view = NULL;
}

static void forget(struct visit_job *j)
{
	uv_mutex_destroy(&j->lock);
	uv_cond_destroy(&j->answered);
	visit_free(j->view);
	free(j);
}

static void on_closed(uv_handle_t *handle)
{
	struct visit_job *j = handle->data;
	j->closed = true;
	if (j->freed)
		forget(j);
}

static void on_done(uv_work_t *work, int status)
{
	struct visit_job *j = work->data;
	if (status)
		fault_set(&j->fault, ERR_GONE, "the visit was given up before it began");
	uv_close((uv_handle_t *)&j->async, on_closed);
	j->done(j->arg, j);
}

int visit_job_start(struct visit_job **out, uv_loop_t *loop, struct proxy_visit *proxy, struct box_keeper *keeper,
		    const struct visit_plan *plan, void (*done)(void *arg, struct visit_job *), void *arg, struct fault *fault)
{
	struct visit_job *j = calloc(1, sizeof *j);
	if (!j)
		return fault_set(fault, ERR_MEMORY, "no memory for a visit");
	*j = (struct visit_job){.proxy = proxy, .keeper = keeper, .plan = *plan, .done = done, .arg = arg};
	j->plan.listening = on_listening;
	j->plan.connections = on_connections;
	j->plan.ended = NULL;
	j->plan.stop = on_stop;
	j->plan.arg = j;
	if (uv_mutex_init(&j->lock) || uv_cond_init(&j->answered) || uv_async_init(loop, &j->async, on_wish)) {
		free(j);
		return fault_set(fault, ERR_SYSTEM, "the loop takes no visit");
	}
	j->async.data = j;
	j->work.data = j;
	if (uv_queue_work(loop, &j->work, on_work, on_done))  {
		j->freed = true;
		uv_close((uv_handle_t *)&j->async, on_closed);
		return fault_set(fault, ERR_SYSTEM, "no thread for a visit");
	}
	*out = j;
	return 0;
}

void visit_job_stop(struct visit_job *j) { atomic_store(&j->stopped, true); }

const struct visit_findings *visit_job_findings(const struct visit_job *j, const char **fault)
{
	*fault = j->fault.text;
	return j->view ? visit_findings(j->view) : NULL;
}

void visit_job_free(struct visit_job *j)
{
	j->freed = true;
	if (j->closed)
		forget(j);
}
