/* Which URLs a client may get at: those of its source's configuration, compared as libcurl reads them, which connects. */
#include "share/asking/client_inner.h"
#include "base/address.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct origin {
	char *scheme, *host, *port;
};

static void origin_done(struct origin *o)
{
	curl_free(o->scheme);
	curl_free(o->host);
	curl_free(o->port);
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(u, part, &text, 0) == CURLUE_OK;
	curl_free(text);
	return has;
}

static bool origin_of(CURLU *u, struct origin *o)
{
	*o = (struct origin){0};
	return curl_url_get(u, CURLUPART_SCHEME, &o->scheme, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &o->host, 0) == CURLUE_OK &&
	       curl_url_get(u, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

static bool is_same(CURLU *u, const char *allowed)
{
	struct origin a, b = {0};
	CURLU *other = curl_url();
	bool same = origin_of(u, &a) && other && curl_url_set(other, CURLUPART_URL, allowed, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		    origin_of(other, &b) && !strcasecmp(a.scheme, b.scheme) && !strcasecmp(a.host, b.host) && !strcmp(a.port, b.port);
	origin_done(&a);
	origin_done(&b);
	curl_url_cleanup(other);
	return same;
}

static bool is_web(const char *text) { return !strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8); }

static bool is_allowed(const struct client_about *about, CURLU *u)
{
	const struct option_pair *pairs = about->options ? about->options->items : NULL;
	char text[CLIENT_URL_MAX];
	if (is_same(u, about->url) || (about->hosts && is_same(u, about->hosts)))
		return true;
	for (size_t i = 0; pairs && i < about->options->count; i++)
		if (bytes_copy_text(pairs[i].value, text, sizeof text) && is_web(text) && is_same(u, text))
			return true;
	return false;
}

static bool put_behind(CURLU *u, const char *reference)
{
	char *path = NULL, relative[CLIENT_URL_MAX];
	if (curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK)
		return false;
	const size_t len = strlen(path);
	const int n = snprintf(relative, sizeof relative, "%s%s%s", path, len && path[len - 1] == '/' ? "" : "/", reference);
	curl_free(path);
	return n > 0 && (size_t)n < sizeof relative && curl_url_set(u, CURLUPART_URL, relative, 0) == CURLUE_OK;
}

static bool set_reference(CURLU *u, const char *base, const char *reference)
{
	if (reference && strstr(reference, "://") && !strchr("/?", *reference))
		return curl_url_set(u, CURLUPART_URL, reference, 0) == CURLUE_OK;
	if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK)
		return false;
	if (!reference || !*reference)
		return true;
	return strchr("/?", *reference) ? curl_url_set(u, CURLUPART_URL, reference, 0) == CURLUE_OK : put_behind(u, reference);
}

int client_resolve(const struct client_about *about, const char *reference, char url[CLIENT_URL_MAX], struct fault *fault)
{
	CURLU *u = curl_url();
	char *whole = NULL;
	int bad = 0;
	if (!u || !set_reference(u, about->url, reference) || curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK)
		bad = fault_set(fault, ERR_BAD, "it leads to what is no URL");
	else if (!is_allowed(about, u))
		bad = fault_set(fault, ERR_DENIED, "it leads to a host that the source does not name; `url` and URLs among `options` "
				"are asked, and no others");
	else if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		bad = fault_set(fault, ERR_DENIED, "it leads to a URL with an account in it");
	else if (curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK || strlen(whole) >= CLIENT_URL_MAX)
		bad = fault_set(fault, ERR_FULL, "it leads to a URL that is longer than %d bytes", CLIENT_URL_MAX);
	if (!bad)
		snprintf(url, CLIENT_URL_MAX, "%s", whole);
	curl_free(whole);
	curl_url_cleanup(u);
	return bad;
}

static bool is_near(const char *host)
{
	struct address a;
	struct bytes text = bytes_of_text(host);
	if (text.len > 2 && *host == '[')
		text = (struct bytes){text.at + 1, text.len - 2};
	return !strcasecmp(host, "localhost") ||
	       (address_parse(text, &a) && (address_is_v4(&a) ? a.b[12] == 127 : a.b[15] == 1 && !memcmp(a.b, (uint8_t[15]){0}, 15)));
}

int client_check_url(const char *url, const char *scheme, bool key, struct fault *fault)
{
	CURLU *u = curl_url();
	struct origin o = {0};
	int bad = 0;
	const bool right = scheme ? !strncasecmp(url, scheme, strlen(scheme)) && !strncmp(url + strlen(scheme), "://", 3) : is_web(url);
	if (!right)
		bad = scheme ? fault_set(fault, ERR_BAD, "\"%s://host.example.org:10000\" would be right", scheme)
			     : fault_set(fault, ERR_BAD, "it is neither http nor https");
	else if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		bad = fault_set(fault, ERR_BAD, "it is no URL");
	else if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		bad = fault_set(fault, ERR_BAD, "it has an account in it; key_file is the place for that");
	else if (!origin_of(u, &o))
		bad = fault_set(fault, ERR_BAD, "it has no %s", o.host ? "port" : "host");
	else if (key && !strcasecmp(o.scheme, "http") && !is_near(o.host))
		bad = fault_set(fault, ERR_BAD, "a key would be sent over http, where everybody on the way reads it; https would be right");
	origin_done(&o);
	curl_url_cleanup(u);
	return bad;
}
