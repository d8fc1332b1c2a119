/*
 * A session that is its backend's altogether: bytes go both ways as they are, and the service
 * is not asked.  For backends that take over at once, of services that have no way of their own.
 */
#pragma once
#include "passive/room/session_inner.h"

/* Whether the session begins so; else the service does. */
bool pipe_begins(struct session *);
enum service_next pipe_input(struct session *, struct reader *);
enum service_next pipe_tick(struct session *);
enum service_next pipe_relayed(struct session *, enum relay_event, struct bytes came);
