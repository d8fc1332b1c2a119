/*
 * Parts of an Internet gateway that speaks UPnP: its description, what its services can do, and
 * the port mappings that visitors leave.  passive/services/upnp.c has the conversation.
 */
#pragma once
#include "passive/services/http/soap.h"

#define UPNP_MAPPINGS_MAX 32

enum upnp_software { UPNP_MINIUPNPD, UPNP_LIBUPNP, UPNP_MINIIGD };

struct upnp_device {
	int software;
	const char *server, *path, *type, *name, *maker, *maker_url, *about, *model, *number, *uuid;
};

/* The device's UUID, as SSDP says it too: `text` a template, or empty for one of its own. */
void upnp_uuid(const struct session *, const char *text, char out[40]);

/* Places of the gateway's services, which differ from software to software. */
enum { UPNP_LAYER3, UPNP_COMMON, UPNP_CONNECTION, UPNP_SERVICES };
struct upnp_place {
	const char *type, *id; /* behind "urn:schemas-upnp-org:service:" and "urn:upnp-org:serviceId:" */
	const char *description, *control, *events;
};
const struct upnp_place *upnp_places(const struct upnp_device *); /* UPNP_SERVICES of them */
bool upnp_is_gateway(const struct upnp_device *);

void upnp_write_description(const struct session *, const struct upnp_device *, struct writer *);
void upnp_write_service(int service, bool minor, struct writer *);

/* Does what the request says, with its answer's arguments in `out`; 0 or a UPnP error. */
int upnp_act(struct api_call *, const struct upnp_device *, struct bytes action, struct writer *out);
const char *upnp_error_words(int error);

struct upnp_mapping {
	struct bytes protocol, external, client, internal, about;
};
/* Those that this visitor finds: the bytes stay as long as the session. */
size_t upnp_mappings(struct session *, struct upnp_mapping out[UPNP_MAPPINGS_MAX]);
void upnp_mapping_add(struct session *, const struct upnp_mapping *);
bool upnp_mapping_remove(struct session *, struct bytes protocol, struct bytes external);
