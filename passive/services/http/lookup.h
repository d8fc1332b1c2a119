/*
 * Lookups and templates in a request: ${jndi:ldap://...} for Log4j (CVE-2021-44228) and strings
 * that a template engine or an expression language would evaluate ({{7*7}}, ${T(...)}, %{(#a=...)}).
 *
 * They may stand in any field or parameter, so the whole head is searched.  Nested lookups that
 * only hide letters (${lower:j}, ${::-n}, ${env:X:-d}) are resolved first.  Nothing is evaluated.
 */
#pragma once
#include "base/bytes.h"

#define LOOKUP_MAX 16384 /* of text that is looked at */

/* Percent-decodes and resolves; what does not fit is left out. */
void lookup_unwrap(struct bytes raw, struct writer *);
/* The first ${jndi:...} in unwrapped text, without ${ and }; empty: none. */
struct bytes lookup_find(struct bytes text);
/* The URL in it, from its scheme on. */
struct bytes lookup_url(struct bytes lookup);
/* The first template expression in unwrapped text, with its brackets; empty: none. */
struct bytes template_find(struct bytes text);
