/*
 * SOAP as devices speak it (UPnP 1.0 control, TR-064, TR-069, ONVIF): elements are found by their
 * names, whatever the prefix and wherever they stand, since attackers write what they like.
 */
#pragma once
#include "passive/services/http/api.h"

/* What stands in the element of that name up to the next "<"; empty when there is none. */
struct bytes soap_text(struct bytes xml, const char *name);
/* Name of what is asked: of the SOAPAction field behind "#", else of the first element in the body. */
struct bytes soap_action(const struct api_call *);
/* What is in front of the "#" of the SOAPAction field, else the namespace of that first element. */
struct bytes soap_service(const struct api_call *);
/*
 * Tells the instruction in one line, its arguments behind it: `Name argument=value ...`; and the
 * URLs that stand alone as arguments, as files that the peer names.
 */
void soap_tell(const struct api_call *, struct bytes action, const char *how);
/* Writes what XML lets stand as text. */
void soap_write_text(struct writer *, struct bytes);
