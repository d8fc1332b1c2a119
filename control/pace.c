#include "control/looks_inner.h"

struct pace pace_of(double rate, double burst)
{
	return (struct pace){.rate = rate, .burst = burst, .tokens = burst};
}

bool pace_has(struct pace *p, double n, uint64_t now_us)
{
	if (p->rate <= 0)
		return true;
	/* A clock that was set back gives nothing, and counts from there. */
	if (p->last_us && now_us > p->last_us)
		p->tokens += p->rate * (double)(now_us - p->last_us) / 1e6;
	if (p->tokens > p->burst)
		p->tokens = p->burst;
	p->last_us = now_us;
	/* More than ever fit at once is taken from a full bucket, which then owes the rest. */
	return p->tokens >= (n < p->burst ? n : p->burst);
}

bool pace_take(struct pace *p, double n, uint64_t now_us)
{
	if (!pace_has(p, n, now_us))
		return false;
	if (p->rate > 0)
		p->tokens -= n;
	return true;
}

void pace_refund(struct pace *p, double n)
{
	p->tokens += n;
	if (p->tokens > p->burst)
		p->tokens = p->burst;
}

uint64_t pace_wait_us(const struct pace *p, double n)
{
	double missing = (n < p->burst ? n : p->burst) - p->tokens;
	return p->rate <= 0 || missing <= 0 ? 0 : (uint64_t)(missing / p->rate * 1e6) + 1;
}
