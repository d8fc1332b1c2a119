#include "cli/rule_check.h"
#include <stdio.h>

static void say(void *arg, const char *sentence)
{
	(void)arg;
	puts(sentence);
}

int rule_check_print(const struct exposure_rules *rules, const char *what)
{
	struct exposure_check check;
	const char *complaint;
	size_t complaints = 0;
	for (; (complaint = exposure_rules_complaint(rules, complaints)); complaints++)
		puts(complaint);
	exposure_rules_verify(rules, &check, say, NULL);
	printf("%zu %s, %zu examples, %zu failed; %zu without an example, %zu left out\n", check.rules, what, check.examples,
	       check.failed, check.without_example, complaints);
	return check.failed || complaints || check.without_example;
}
