#include "passive/relay/backend.h"

#define AT(member) offsetof(struct backend, member)

static const char *const afters[] = {"always", "login", "unknown", NULL};

static const struct option options[] = {
        {.name = "address",
         .type = OPTION_ADDRESS,
         .offset = AT(address),
         .required = true,
         .summary = "of the machine, in the relay's namespace"},
        {.name = "port",
         .type = OPTION_NUMBER,
         .offset = AT(port),
         .required = true,
         .min = 1,
         .max = 65535,
         .summary = "where it listens"},
        {.name = "after",
         .type = OPTION_CHOICE,
         .offset = AT(after),
         .choices = afters,
         .fallback = "always",
         .summary = "when it takes over from the emulator"},
        {.name = "user", .type = OPTION_TEXT, .offset = AT(user), .summary = "whom visitors are there"},
        {.name = "password", .type = OPTION_TEXT, .offset = AT(password), .summary = "of that user"},
        {.name = "connections",
         .type = OPTION_NUMBER,
         .offset = AT(connections),
         .fallback = "16",
         .min = 1,
         .max = 1024,
         .summary = "at once; who comes then meets the emulator"},
        {.name = "bytes",
         .type = OPTION_SIZE,
         .offset = AT(bytes),
         .fallback = "64M",
         .min = 1024,
         .summary = "of one connection, both ways; then it ends"},
        {0},
};

int backend_read(const struct yaml_node *n, const char *service, const char *file, const char *path,
                 struct arena *arena, struct backend *b, struct fault *fault)
{
	int bad = options_bind(options, n, file, path, arena, b, fault);
	if (bad)
		return bad;
	bool shell = !strcmp(service, "ssh") || !strcmp(service, "telnet");
	bool ssh = !strcmp(service, "ssh"), web = !strcmp(service, "http");
	if (b->after != BACKEND_ALWAYS && !shell && !web)
		return fault_set(fault, ERR_BAD, "%s:%u: %s.after: only ssh, telnet and http can hand over; always "
		                 "would be right", file, n->line, path);
	if (!b->user != !b->password)
		return fault_set(fault, ERR_BAD, "%s:%u: %s: user and password belong together", file, n->line, path);
	if (!b->user && (ssh || (shell && b->after != BACKEND_ALWAYS)))
		return fault_set(fault, ERR_BAD, "%s:%u: %s: user and password of the backend are needed to log in there",
		                 file, n->line, path);
	if (b->user && !web && !ssh && b->after == BACKEND_ALWAYS)
		return fault_set(fault, ERR_BAD, "%s:%u: %s.user: with always the visitor logs in at the backend; "
		                 "after: login would be right", file, n->line, path);
	return 0;
}
