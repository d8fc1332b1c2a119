/* Parts of the ONVIF service: what the device and its media say (answers.c), and who asks (login.c). */
#pragma once
#include "passive/services/http/soap.h"

struct onvif_device {
	const char *maker, *model, *version, *hardware, *scopes, *stream, *snapshot, *path;
	uint64_t channels;
	bool open;
};

/*
 * Writes the inside of an answer to that action; false: the device has not got it.  `needs_login`
 * tells whether ONVIF Core's access class of it is not PRE_AUTH.
 */
bool onvif_answer(const struct api_call *, const struct onvif_device *, struct bytes action, struct writer *, bool *needs_login);

/* Looks at WS-UsernameToken and at HTTP's Authorization; each new try is told once. */
bool onvif_login(const struct api_call *, uint64_t *login_mark);
