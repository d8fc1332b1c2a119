#include "store/workers.h"
#include <pthread.h>
#include <stdlib.h>

#define THREADS_MAX 16

struct call {
	void (*run)(void *);
	void *arg;
	bool over;
	struct call *next;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t work, called;
	uv_async_t wake;
	struct job *first, **last;  /* given */
	struct job *done, **done_last;
	struct call *calls, **calls_last;
	size_t queued, queue_max, busy;
	bool ending;
	unsigned threads;
	pthread_t thread[THREADS_MAX];
	void *(*begin)(void *);
	void *begin_arg;
};

static void *thread_main(void *arg)
{
	struct workers *w = arg;
	void *context = w->begin ? w->begin(w->begin_arg) : NULL;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->first && !w->ending)
			pthread_cond_wait(&w->work, &w->lock);
		if (w->ending)
			break;
		struct job *job = w->first;
		w->first = job->next;
		w->last = w->first ? w->last : &w->first;
		w->queued--;
		pthread_mutex_unlock(&w->lock);
		job->run(job, context);
		pthread_mutex_lock(&w->lock);
		job->next = NULL;
		*w->done_last = job;
		w->done_last = &job->next;
		uv_async_send(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* On the loop: what threads ask for, then what they finished. */
static void wake(uv_async_t *async)
{
	struct workers *w = async->data;
	pthread_mutex_lock(&w->lock);
	struct call *calls = w->calls;
	struct job *done = w->done;
	w->calls = NULL;
	w->calls_last = &w->calls;
	w->done = NULL;
	w->done_last = &w->done;
	pthread_mutex_unlock(&w->lock);
	while (calls) {
		struct call *next = calls->next;
		calls->run(calls->arg);
		pthread_mutex_lock(&w->lock);
		calls->over = true; /* from here on its thread may have left it */
		pthread_cond_broadcast(&w->called);
		pthread_mutex_unlock(&w->lock);
		calls = next;
	}
	while (done) {
		struct job *next = done->next;
		w->busy--;
		done->done(done);
		done = next;
	}
}

int workers_open(struct workers **out, uv_loop_t *loop, unsigned threads, size_t queue_max,
		 void *(*begin)(void *arg), void *arg)
{
	struct workers *w = calloc(1, sizeof *w);
	if (!w || threads > THREADS_MAX || uv_async_init(loop, &w->wake, wake)) {
		free(w);
		return ERR_MEMORY;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->called, NULL);
	w->wake.data = w;
	w->last = &w->first;
	w->done_last = &w->done;
	w->calls_last = &w->calls;
	w->queue_max = queue_max;
	w->begin = begin;
	w->begin_arg = arg;
	for (; w->threads < threads; w->threads++)
		if (pthread_create(&w->thread[w->threads], NULL, thread_main, w))
			break;
	*out = w;
	return w->threads ? 0 : ERR_SYSTEM;
}

int workers_give(struct workers *w, struct job *job)
{
	pthread_mutex_lock(&w->lock);
	bool full = w->queued >= w->queue_max || w->ending;
	if (!full) {
		job->next = NULL;
		*w->last = job;
		w->last = &job->next;
		w->queued++;
		w->busy++;
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	return full ? ERR_FULL : 0;
}

void workers_call(struct workers *w, void (*run)(void *), void *arg)
{
	struct call call = {run, arg, false, NULL};
	pthread_mutex_lock(&w->lock);
	*w->calls_last = &call;
	w->calls_last = &call.next;
	uv_async_send(&w->wake);
	while (!call.over)
		pthread_cond_wait(&w->called, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

size_t workers_busy(const struct workers *w) { return w->busy; }

bool workers_ending(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	bool ending = w->ending;
	pthread_mutex_unlock(&w->lock);
	return ending;
}

static bool threads_left(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	size_t queued = w->queued;
	pthread_mutex_unlock(&w->lock);
	return w->busy > queued;
}

void workers_close(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	/* A job that runs may still call the loop, which is us. */
	while (threads_left(w)) {
		wake(&w->wake);
		uv_sleep(1);
	}
	for (unsigned i = 0; i < w->threads; i++)
		pthread_join(w->thread[i], NULL);
	for (struct job *job = w->first, *next; job; job = next) {
		next = job->next;
		job->done(job);
	}
	w->first = NULL;
	uv_close((uv_handle_t *)&w->wake, NULL);
}
