/*
 * A connection that goes on at a backend's SSH server (docs/high_interaction.md).
 *
 * Both transports end here: the visitor's, with the device's keys, and one to the backend, where
 * we log in with its own account.  What lies above them (RFC 4254) is passed on message by message,
 * so windows, terminals and exit statuses are those of the backend; what is said is recorded.
 * Forwarding is not passed on, in neither direction.
 */
#pragma once
#include "passive/relay/backend.h"
#include "passive/services/ssh/ssh.h"

struct ssh_channel;

/* Asks for the backend if it takes over then; input waits.  False: it does not, or cannot be had. */
bool ssh_relay_ask(struct ssh *, enum backend_after);
/*
 * After `line`, which the emulator does not know, was run in this channel: what it said of it lies
 * behind the first `said` bytes that are pending, and is taken back.  False: it goes on.
 */
bool ssh_relay_may_hand_over(const struct ssh *);
bool ssh_relay_hand_over(struct ssh *, struct ssh_channel *, struct bytes line, size_t said, bool exec);
void ssh_relay_keep_rest(struct ssh *, struct bytes); /* what came behind that line */
enum service_next ssh_relay_hear(struct ssh *, enum relay_event, struct bytes came);
bool ssh_relay_is_through(const struct ssh *);
enum service_next ssh_relay_take(struct ssh *, struct bytes payload); /* of the visitor */
enum service_next ssh_relay_go_on(struct ssh *); /* messages may be sent again */
enum service_next ssh_relay_give_up(struct ssh *);
void ssh_relay_done(struct ssh *);
