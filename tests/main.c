/* Hands the registered tests to cmocka; an argument picks those whose name or file holds it. */
#include "tests/test.h"
#include <stdlib.h>

REGISTRY(tests, struct test);

int main(int argc, char **argv)
{
	size_t all = (size_t)(__stop_tests - __start_tests), picked = 0;
	struct CMUnitTest *group = calloc(all + 1, sizeof *group);
	if (!group)
		abort();
	REGISTRY_EACH(tests, struct test, t)
		if (argc < 2 || strstr((*t)->name, argv[1]) || strstr((*t)->file, argv[1]))
			group[picked++] = (struct CMUnitTest){.name = (*t)->name, .test_func = (*t)->run};
	if (picked == 0) {
		print_error("no test is registered%s\n", argc < 2 ? "" : " under that name");
		return 2;
	}
	int failed = _cmocka_run_group_tests("kansoku", group, picked, NULL, NULL);
	free(group);
	return failed ? 1 : 0;
}
