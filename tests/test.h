/*
 * The unit tests' harness: TEST(name) { CHECK(x); } announces itself to cmocka.
 *
 * CHECK ends the test at the first failure.  A test that cannot run here (no
 * root, no namespace) says SKIP(why), which is counted and shown.
 */
#pragma once
#include "base/registry.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct test {
	const char *name, *file;
	void (*run)(void **);
};

#define TEST(id)                                                               \
	static void test_##id(void **);                                        \
	static const struct test test_of_##id = {#id, __FILE__, test_##id};    \
	REGISTER(tests, struct test, test_of_##id);                            \
	static void test_##id(void **unused_state __attribute__((unused)))

#define CHECK(cond) CHECK_SAY(cond, "%s", #cond)
#define CHECK_SAY(cond, ...)                                                   \
	do {                                                                   \
		if (!(cond)) {                                                 \
			print_error("%s:%d: ", __FILE__, __LINE__);            \
			print_error(__VA_ARGS__);                              \
			print_error("\n");                                     \
			fail();                                                \
		}                                                              \
	} while (0)

#define SKIP(why)                                                              \
	do {                                                                   \
		print_message("skipped: %s\n", why);                           \
		skip();                                                        \
	} while (0)
