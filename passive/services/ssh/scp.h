/* The far side of rcp and of scp before OpenSSH 9: `scp -t` takes files, `scp -f` gives them. */
#pragma once
#include "passive/services/ssh/connection.h"

bool scp_claims(struct bytes command);
bool scp_start(struct ssh *, struct ssh_channel *, struct bytes command);
void scp_input(struct ssh *, struct ssh_channel *, struct bytes);
void scp_gone(struct ssh *, struct ssh_channel *);
