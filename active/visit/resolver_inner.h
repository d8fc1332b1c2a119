/*
 * Names to addresses, asked of the configured resolvers by ourselves: the system's resolver reads files,
 * adds search domains and cannot be asked without threads.
 *
 * Both families are asked at once.  Each question has a socket, and so a source port, of its own
 * (RFC 5452 9.2); what is cut comes again over TCP.  Answers are kept as long as they say, within bounds.
 */
#pragma once
#include "active/visit/dns_inner.h"
#include "active/visit/proxy.h"

#define RESOLVER_CACHE 4096
#define RESOLVER_AT_ONCE 256     /* names under way */
#define RESOLVER_TTL_S_MIN 5
#define RESOLVER_TTL_S_MAX 300
#define RESOLVER_TTL_S_NONE 10   /* of a name without an address */
#define RESOLVER_ADDRESSES_MAX (2 * DNS_ADDRESSES_MAX)

struct resolver;

/* `count` 0: there is none.  IPv4 first.  Not after resolver_forget(arg). */
typedef void resolved_f(void *arg, const struct address *, size_t count);

int resolver_open(struct resolver **, uv_loop_t *, const struct proxy_options *);
void resolver_close(struct resolver *); /* asks nothing more; the loop must run once more */
/* May answer before it returns. */
void resolver_ask(struct resolver *, const char *name, resolved_f *, void *arg);
void resolver_forget(struct resolver *, void *arg);
