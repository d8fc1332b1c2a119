/* Requests and their answers, from the Network domain's events. */
#include "active/visit/browser/look_inner.h"

static struct seen_request *find(struct looking *l, const char *id, size_t *index)
{
	for (size_t i = l->out->request_count; i-- > 0;)
		if (!strcmp(l->seen_requests[i].id, id)) {
			*index = i;
			return &l->seen_requests[i];
		}
	return NULL;
}

size_t look_requests_open(const struct looking *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->out->request_count; i++)
		n += !l->seen_requests[i].done && strcmp(l->requests[i].kind, "websocket") &&
		     strcmp(l->requests[i].kind, "eventsource");
	return n;
}

static const struct visit_header *headers_of(struct looking *l, const json_t *o, size_t *count)
{
	const char *name;
	json_t *value;
	const size_t n = json_object_size(o) < 256 ? json_object_size(o) : 256;
	struct visit_header *out = n ? arena_alloc(l->arena, n * sizeof *out) : NULL;
	*count = 0;
	if (!out)
		return NULL;
	json_object_foreach((json_t *)o, name, value) {
		if (*count == n)
			break;
		out[(*count)++] = (struct visit_header){look_text(l, name, strlen(name)),
							look_text(l, json_string_value(value), json_string_length(value))};
	}
	return out;
}

static const char *lower(struct looking *l, const char *word)
{
	char *copy = (char *)look_text(l, word, strlen(word));
	for (char *c = copy; *c; c++)
		*c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
	return copy;
}

/* The browser's clock is believed only forwards. */
static uint64_t elapsed_ms(double from_s, double to_s) { return (uint64_t)devtools_bounded((to_s - from_s) * 1000); }

static void take_response(struct looking *l, size_t i, const json_t *response)
{
	struct visit_request *r = &l->requests[i];
	char address[80];
	r->status = (unsigned)devtools_count(response, "status");
	r->status_text = look_text_at(l, response, "statusText");
	r->mime = look_text_at(l, response, "mimeType");
	r->protocol = look_text_at(l, response, "protocol");
	if (!l->seen_requests[i].told_answered)
		r->answered = headers_of(l, devtools_at(response, "headers"), &r->answered_count);
	snprintf(address, sizeof address, "%s:%u", devtools_text(response, "remoteIPAddress"),
		 (unsigned)devtools_count(response, "remotePort"));
	r->address = look_text(l, address, address[0] == ':' ? 0 : strlen(address));
}

static void take_redirect(struct looking *l, size_t i, const json_t *params)
{
	struct seen_request *s = &l->seen_requests[i];
	take_response(l, i, devtools_at(params, "redirectResponse"));
	s->answered_s = devtools_number(params, "timestamp");
	l->requests[i].wait_ms = elapsed_ms(s->begun_s, s->answered_s);
	l->requests[i].redirected = true;
	s->done = true;
}

static void take_request(struct looking *l, const char *session, const json_t *params)
{
	const char *id = devtools_text(params, "requestId"), *url = devtools_text(params, "request.url");
	const char *kind = devtools_text(params, "type");
	const unsigned frame = look_frame_find(l, devtools_text(params, "frameId"));
	size_t before = 0;
	unsigned status = 0;
	if (devtools_at(params, "redirectResponse") && find(l, id, &before)) {
		take_redirect(l, before, params);
		status = l->requests[before].status;
	}
	if (!strcmp(kind, "Document"))
		look_hop(l, frame, url, status);
	if (l->out->request_count == VISIT_REQUESTS_MAX) {
		look_limit(l, "requests");
		return;
	}
	const size_t i = l->out->request_count++;
	struct seen_request *s = &l->seen_requests[i];
	*s = (struct seen_request){.begun_s = devtools_number(params, "timestamp")};
	snprintf(s->id, sizeof s->id, "%s", id);
	snprintf(s->session, sizeof s->session, "%s", session);
	if (l->base_s <= 0)
		l->base_s = s->begun_s;
	const char *sent = devtools_text(params, "request.postData");
	l->requests[i] = (struct visit_request){
		.url = look_text_at(l, params, "request.url"), .method = look_text_at(l, params, "request.method"),
		.kind = *kind ? lower(l, kind) : "other", .initiator = look_text_at(l, params, "initiator.type"),
		.address = "", .mime = "", .protocol = "", .status_text = "", .frame = frame,
		.begin_ms = elapsed_ms(l->base_s, s->begun_s),
		.sent = look_bytes(l, (struct bytes){(const uint8_t *)sent, devtools_text_len(params, "request.postData")}),
	};
	l->requests[i].asked = headers_of(l, devtools_at(params, "request.headers"), &l->requests[i].asked_count);
	/* Pages within themselves, and ones made by scripts, ask nobody. */
	s->done = !strncmp(url, "data:", 5) || !strncmp(url, "blob:", 5);
}

static void on_body(void *arg, size_t i, const json_t *result)
{
	struct looking *l = arg;
	struct visit_request *r = &l->requests[i];
	if (!result)
		return;
	r->body = look_body(l, result, "body", "base64Encoded", VISIT_BODY_MAX);
	r->cut = r->body.len == VISIT_BODY_MAX;
	r->size = r->body.len;
	if (r->body.len)
		look_sha256(r->body, r->sha256);
}

static void ask_body(struct looking *l, size_t i, const char *id)
{
	if (devtools_call(l->devtools, l->seen_requests[i].session, "Network.getResponseBody",
			  json_pack("{s:s}", "requestId", id), on_body, i) == ERR_FULL)
		look_limit(l, "calls");
}

static void take_finished(struct looking *l, size_t i, const json_t *params)
{
	struct seen_request *s = &l->seen_requests[i];
	struct visit_request *r = &l->requests[i];
	const double at_s = devtools_number(params, "timestamp");
	s->done = s->finished = true;
	r->receive_ms = s->answered_s > 0 ? elapsed_ms(s->answered_s, at_s) : 0;
	r->wire_bytes = (uint64_t)devtools_count(params, "encodedDataLength");
	ask_body(l, i, s->id);
}

static void take_data(struct looking *l, size_t i, const json_t *params)
{
	const uint64_t length = (uint64_t)devtools_count(params, "dataLength");
	l->requests[i].size += length;
	l->bytes += length;
	if (l->bytes > l->bytes_max)
		look_limit(l, "bytes");
}

static void take_failed(struct looking *l, size_t i, const json_t *params)
{
	struct visit_request *r = &l->requests[i];
	const char *blocked = devtools_text(params, "blockedReason");
	l->seen_requests[i].done = true;
	r->failed = look_text_at(l, params, *blocked ? "blockedReason" : "errorText");
}

static void take_websocket(struct looking *l, const char *session, const json_t *params)
{
	if (l->out->request_count == VISIT_REQUESTS_MAX) {
		look_limit(l, "requests");
		return;
	}
	const size_t i = l->out->request_count++;
	struct seen_request *s = &l->seen_requests[i];
	*s = (struct seen_request){.done = true};
	snprintf(s->id, sizeof s->id, "%s", devtools_text(params, "requestId"));
	snprintf(s->session, sizeof s->session, "%s", session);
	l->requests[i] = (struct visit_request){.url = look_text_at(l, params, "url"), .method = "GET", .kind = "websocket",
						.initiator = look_text_at(l, params, "initiator.type"), .address = "", .mime = "",
						.protocol = "websocket", .status_text = ""};
}

/*
 * The headers as they went over the wire, with cookies; they come before or after the plain event, and
 * all steps of a redirect bear one id.
 */
static void take_extra(struct looking *l, const json_t *params, bool asked)
{
	const char *id = devtools_text(params, "requestId");
	const unsigned status = (unsigned)devtools_count(params, "statusCode");
	for (size_t i = 0; i < l->out->request_count; i++) {
		struct seen_request *s = &l->seen_requests[i];
		struct visit_request *r = &l->requests[i];
		if (strcmp(s->id, id) || (asked ? s->told_asked : s->told_answered) || (!asked && r->status && r->status != status))
			continue;
		*(asked ? &s->told_asked : &s->told_answered) = true;
		if (asked)
			r->asked = headers_of(l, devtools_at(params, "headers"), &r->asked_count);
		else
			r->answered = headers_of(l, devtools_at(params, "headers"), &r->answered_count);
		return;
	}
}

void look_bodies_again(struct looking *l)
{
	for (size_t i = 0; i < l->out->request_count; i++) {
		const struct visit_request *r = &l->requests[i];
		if (l->seen_requests[i].finished && !r->failed && !r->redirected && !r->sha256[0])
			ask_body(l, i, l->seen_requests[i].id);
	}
}

bool look_take_network(struct looking *l, const char *session, const char *method, const json_t *params)
{
	if (strncmp(method, "Network.", 8))
		return false;
	const char *what = method + 8;
	size_t i = 0;
	if (!strcmp(what, "requestWillBeSent")) {
		look_active(l);
		take_request(l, session, params);
		return true;
	}
	if (!strcmp(what, "webSocketCreated")) {
		take_websocket(l, session, params);
		return true;
	}
	struct seen_request *s = find(l, devtools_text(params, "requestId"), &i);
	if (!s)
		return true;
	if (!strcmp(what, "responseReceived")) {
		look_active(l);
		take_response(l, i, devtools_at(params, "response"));
		s->answered_s = devtools_number(params, "timestamp");
		l->requests[i].wait_ms = elapsed_ms(s->begun_s, s->answered_s);
	} else if (!strcmp(what, "dataReceived")) {
		look_active(l);
		take_data(l, i, params);
	} else if (!strcmp(what, "loadingFinished")) {
		look_active(l);
		take_finished(l, i, params);
	} else if (!strcmp(what, "loadingFailed")) {
		look_active(l);
		take_failed(l, i, params);
	} else if (!strcmp(what, "requestWillBeSentExtraInfo")) {
		take_extra(l, params, true);
	} else if (!strcmp(what, "responseReceivedExtraInfo")) {
		take_extra(l, params, false);
	}
	return true;
}
