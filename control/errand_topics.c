#include "control/errand_topics_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include <stdlib.h>

struct giving { /* an errand on its way */
	struct errand_topics *topics;
	struct errand_waiting *item;
};

static void on_answer(void *arg, int status, struct bytes payload, bool more)
{
	struct giving *giving = arg;
	(void)payload;
	if (more)
		return;
	errand_answered(giving->topics->errands, giving->item, status, clock_utc_us());
	free(giving);
}

static void give_line(struct errand_topics *topics, enum action action, uint64_t now_us)
{
	struct errand_waiting *item;
	while ((item = errands_next(topics->errands, action, now_us))) {
		struct giving *giving = malloc(sizeof *giving);
		if (giving)
			*giving = (struct giving){topics, item};
		int bad = !giving ? ERR_GONE
				  : bus_request(topics->bus, errand_role(action), ERRAND_TOPIC, errand_payload(item),
						on_answer, giving);
		if (bad) {
			errand_answered(topics->errands, item, ERR_GONE, now_us);
			free(giving);
			return;
		}
	}
}

void errand_topics_give(struct errand_topics *topics, uint64_t now_us)
{
	uint64_t lost = 0;
	for (int action = 0; action < ACTIONS; action++) {
		if (errand_role((enum action)action))
			give_line(topics, (enum action)action, now_us);
		lost += topics->errands->lines[action].lost;
	}
	if (lost > topics->lost_told)
		log_warning("%llu errands were lost: %d wait already for the process that does them",
			    (unsigned long long)(lost - topics->lost_told), ERRANDS_MAX);
	topics->lost_told = lost;
}
