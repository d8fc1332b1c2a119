/*
 * One request of a partner: its head goes to the exchange, which says at once what it thinks of it; a body is read only
 * when the exchange wants it, so that who may not write cannot make us hold anything.
 */
#include "share/serve/partners_inner.h"
#include <stdlib.h>

struct guest {
	struct partners *partners;
	struct MHD_Connection *connection;
	struct buffer body, answer;
	uint64_t number;       /* of the exchange, for a body */
	bool waits, suspended, gone_wrong;
	bool wanted;           /* the exchange takes a body */
	bool reading;          /* and it is on its way */
	size_t held;
	struct MHD_Response *response;
	unsigned status;
};

static bool hold(struct guest *g, size_t n)
{
	if (g->partners->held + n > PARTNERS_HELD_MAX)
		return false;
	g->partners->held += n;
	g->held += n;
	return true;
}

static void resume(struct guest *g)
{
	if (!g->suspended)
		return;
	g->suspended = false;
	MHD_resume_connection(g->connection);
}

static void common_headers(struct MHD_Response *r)
{
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	MHD_add_response_header(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

static void refuse(struct guest *g, unsigned status, const char *sentence)
{
	char text[300];
	int n = snprintf(text, sizeof text, "{\"title\":\"%s\",\"http_status\":\"%u\"}\n", sentence, status);
	g->status = status;
	g->response = MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY);
	if (g->response) {
		common_headers(g->response);
		MHD_add_response_header(g->response, "Content-Type", "application/taxii+json;version=2.1");
	}
	resume(g);
}

static void reply(struct guest *g, const struct serve_answer_head *head, struct bytes body)
{
	g->status = head->status;
	g->response = MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.at, MHD_RESPMEM_PERSISTENT);
	if (!g->response)
		return;
	common_headers(g->response);
	for (size_t i = 0; i < head->header_count; i++) {
		char name[64], value[512];
		if (bytes_copy_text(head->headers[i].name, name, sizeof name) &&
		    bytes_copy_text(head->headers[i].value, value, sizeof value))
			MHD_add_response_header(g->response, name, value);
	}
	resume(g);
}

static void answered(void *arg, int status, struct bytes payload, bool more)
{
	struct guest *g = arg;
	struct serve_answer_head head;
	if (!g->gone_wrong && (!hold(g, payload.len) || buffer_append(&g->answer, payload.at, payload.len)))
		g->gone_wrong = true;
	if (more)
		return;
	g->waits = false;
	struct bytes all = buffer_bytes(&g->answer);
	struct reader r = reader_of_bytes(all);
	if (status || g->gone_wrong || !serve_answer_read(&r, &head)) {
		refuse(g, 503, status ? "the exchange is not running" : "the answer is larger than can be held");
	} else if (head.status == 100) {
		g->number = head.number;
		g->wanted = true;
		buffer_consume(&g->answer, all.len);
		resume(g);
	} else {
		g->number = 0;
		reply(g, &head, read_rest(&r));
	}
}

static void ask(struct guest *g, struct bytes payload)
{
	g->waits = true;
	if (bus_request(g->partners->process->bus, "exchange", TOPIC_SERVE, payload, answered, g)) {
		g->waits = false;
		refuse(g, 503, "the exchange is not running");
	}
}

static void nothing_to_do(void *arg, int status, struct bytes payload, bool more)
{
	(void)arg, (void)status, (void)payload, (void)more;
}

static void send_step(struct guest *g, enum serve_step step, struct bytes part, bus_answer_f *answer)
{
	uint8_t *room = malloc(9 + SERVE_PART_MAX);
	struct writer w = writer_of(room, room ? 9 + SERVE_PART_MAX : 0);
	write_u8(&w, (uint8_t)step);
	write_u64(&w, g->number);
	write_span(&w, part);
	if (answer)
		ask(g, writer_bytes(&w));
	else
		bus_request(g->partners->process->bus, "exchange", TOPIC_SERVE, writer_bytes(&w), nothing_to_do, NULL);
	free(room);
}

static void send_body(struct guest *g)
{
	struct bytes left = buffer_bytes(&g->body);
	while (left.len) {
		size_t n = left.len < SERVE_PART_MAX ? left.len : SERVE_PART_MAX;
		send_step(g, SERVE_PART, (struct bytes){left.at, n}, NULL);
		left = (struct bytes){left.at + n, left.len - n};
	}
	buffer_done(&g->body);
	send_step(g, SERVE_END, left, answered);
}

static enum MHD_Result take_argument(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	struct serve_head *h = arg;
	if (h->argument_count < SERVE_ARGUMENTS_MAX)
		h->arguments[h->argument_count++] =
			(struct serve_pair){bytes_of_text(name), bytes_of_text(value ? value : "")};
	return MHD_YES;
}

static struct bytes header(struct guest *g, const char *name)
{
	const char *value = MHD_lookup_connection_value(g->connection, MHD_HEADER_KIND, name);
	return bytes_of_text(value ? value : "");
}

static struct address address_of_guest(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_storage ss = {0};
	struct address a = {0};
	uint16_t port;
	if (info && info->client_addr) {
		bool six = info->client_addr->sa_family == AF_INET6;
		memcpy(&ss, info->client_addr, six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		address_from_sockaddr(&ss, &a, &port);
	}
	return a;
}

static uint64_t body_length(struct guest *g)
{
	uint64_t n = 0;
	if (header(g, "Transfer-Encoding").len)
		return SERVE_BODY_MAX; /* it may be as long as that, and is cut off beyond */
	return bytes_number(header(g, "Content-Length"), UINT64_MAX - 1, &n) ? n : 0;
}

static void ask_about(struct guest *g, const char *url, const char *method)
{
	uint8_t room[SERVE_HEAD_MAX + 1];
	struct writer w = writer_of(room, sizeof room);
	struct serve_head head = {
		.method = bytes_of_text(method),
		.path = bytes_of_text(url),
		.host = header(g, "Host"),
		.accept = header(g, "Accept"),
		.content_type = header(g, "Content-Type"),
		.authorization = header(g, "Authorization"),
		.api_key = header(g, "X-API-Key"),
		.from = address_of_guest(g->connection),
		.secure = g->partners->certificate != NULL,
		.body_len = body_length(g),
	};
	head.has_certificate = guest_certificate(g->connection, head.certificate);
	MHD_get_connection_values(g->connection, MHD_GET_ARGUMENT_KIND, take_argument, &head);
	write_u8(&w, SERVE_ASK);
	serve_head_write(&head, &w);
	if (w.bad)
		refuse(g, 431, "the request's head is too long");
	else
		ask(g, writer_bytes(&w));
}

static struct guest *begin(struct partners *partners, struct MHD_Connection *connection)
{
	struct guest *g = calloc(1, sizeof *g);
	if (!g)
		return NULL;
	g->partners = partners;
	g->connection = connection;
	g->body = BUFFER(SERVE_BODY_MAX);
	g->answer = BUFFER(SERVE_ANSWER_MAX + SERVE_HEAD_MAX);
	return g;
}

static enum MHD_Result send_response(struct guest *g)
{
	enum MHD_Result sent = MHD_queue_response(g->connection, g->status, g->response);
	MHD_destroy_response(g->response);
	g->response = NULL;
	return sent;
}

static enum MHD_Result wait_or_send(struct guest *g)
{
	if (g->response)
		return send_response(g);
	if (!g->waits)
		return MHD_NO; /* no memory for an answer */
	if (!g->suspended) {
		g->suspended = true;
		MHD_suspend_connection(g->connection);
	}
	return MHD_YES;
}

/* libmicrohttpd takes no answer in the middle of a body: what is too long is read to its end and not kept. */
static void take_part(struct guest *g, const char *upload, size_t n)
{
	if (!g->gone_wrong && (!hold(g, n) || buffer_append(&g->body, upload, n)))
		g->gone_wrong = true;
}

static enum MHD_Result end_of_body(struct guest *g)
{
	g->wanted = false;
	if (g->gone_wrong)
		refuse(g, 413, "the body is longer than it may be");
	else
		send_body(g);
	return wait_or_send(g);
}

/*
 * libmicrohttpd calls with the head, again with the head once a connection that waited goes on, with each piece of a
 * body, and at its end with none.
 */
enum MHD_Result guest_handle(void *partners, struct MHD_Connection *connection, const char *url, const char *method,
			     const char *version, const char *upload, size_t *upload_size, void **state)
{
	(void)version;
	struct guest *g = *state;
	if (!g) {
		*state = g = begin(partners, connection);
		if (!g)
			return MHD_NO;
		ask_about(g, url, method);
		return wait_or_send(g);
	}
	if (g->wanted && !g->reading) {
		g->reading = true;
		return MHD_YES;
	}
	if (g->wanted && *upload_size) {
		take_part(g, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	return g->wanted ? end_of_body(g) : wait_or_send(g);
}

void guest_completed(void *partners, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	(void)partners, (void)connection, (void)code;
	struct guest *g = *state;
	*state = NULL;
	if (!g)
		return;
	if (g->number)
		send_step(g, SERVE_FORGET, (struct bytes){0}, NULL);
	if (g->response)
		MHD_destroy_response(g->response);
	g->partners->held -= g->held;
	buffer_done(&g->body);
	buffer_done(&g->answer);
	free(g);
}
