#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *fault, int code, const char *fmt, ...)
{
	if (!fault)
		return code;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof fault->text, fmt, ap);
	va_end(ap);
	return code;
}

const char *error_name(int code)
{
	static const char *const names[] = {
		"ok",   "out of memory", "system error", "malformed", "full",
		"gone", "denied",        "missing",      "timed out",
	};
	int i = -code;
	return i >= 0 && i < (int)(sizeof names / sizeof *names) ? names[i] : "unknown error";
}
