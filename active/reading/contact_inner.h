/*
 * Who asks, for protocols that have their own place to say so (RFC 9511 3): taken from the
 * User-Agent that the operator's page or address was written into.
 */
#pragma once
#include "active/probe.h"

/* The page, or the address where there is no page; empty when neither is known. */
struct bytes contact_of(const struct probe_settings *);
/* The domain of it; "kansoku.invalid" (RFC 2606 2) where there is none. */
struct bytes contact_host(const struct probe_settings *);
