/* Everything that reads a request: head, body, forms, credentials, commands. */
#include "passive/services/http/auth.h"
#include "passive/services/http/body.h"
#include "passive/services/http/form.h"
#include "passive/services/http/injection.h"
#include <stdlib.h>

#define KEEP_MAX 4096

static void within(struct bytes part, struct bytes whole)
{
	if (part.len && (part.at < whole.at || part.at + part.len > whole.at + whole.len))
		abort();
}

static void read_forms(struct bytes type, struct bytes body)
{
	struct bytes rest = body, boundary = form_boundary(type, body), name, value;
	struct form_part part;
	for (int i = 0; i < 64 && form_part_next(&rest, boundary, &part); i++)
		within(part.content, body);
	rest = body;
	while (form_next(&rest, &name, &value))
		within(value, body);
}

static void find_commands(struct bytes raw)
{
	static uint8_t text[INJECTION_MAX], made_room[1024];
	struct writer w = writer_of(text, sizeof text),
		      made = writer_of(made_room, sizeof made_room);
	struct injection found;
	injection_unwrap(raw, &w);
	if (injection_find(writer_bytes(&w), &made, &found) && found.start >= writer_used(&w))
		abort();
}

static void read_credentials(const struct request *r)
{
	static const struct persona_credential known = {BYTES("admin"), BYTES("admin")};
	const struct persona p = {.credentials = &known, .credential_count = 1};
	const char nonces[2][AUTH_NONCE_CHARS + 1] = {"a", "b"};
	struct auth a;
	if (auth_read(r->authorization, r->method, &p, nonces, &a) && a.kind == AUTH_NONE)
		abort();
	request_cookie(r, "SID");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct bytes sent = {input, size};
	size_t whole = 0, piecemeal = 0, n = request_head_length(sent, &whole), found = 0;
	for (size_t len = 1; len <= size && len <= 512 && !found; len++)
		found = request_head_length((struct bytes){input, len}, &piecemeal);
	if (found && found != n)
		abort(); /* how the bytes arrive must not change what they mean */
	if (n == 0)
		return 0;
	struct request r;
	request_parse((struct bytes){input, n}, &r);
	within(r.target, sent);
	if (r.path.len > 1) /* "/" alone may stand for an absolute target without a path */
		within(r.path, sent);
	struct arena arena = ARENA(1u << 20);
	struct reader in = reader_of(input + n, size - n);
	struct body body = {0};
	body_begin(&body, &r);
	body_feed(&body, &arena, KEEP_MAX, &in);
	if (body.len > KEEP_MAX || body.seen < body.len)
		abort();
	read_forms(r.content_type, body_bytes(&body));
	find_commands(r.target);
	find_commands(body_bytes(&body));
	read_credentials(&r);
	arena_done(&arena);
	return 0;
}
