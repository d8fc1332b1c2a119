/* The SFTP subsystem, version 3 (draft-ietf-secsh-filexfer-02), on the device's files. */
#pragma once
#include "passive/services/ssh/connection.h"

bool sftp_claims(struct bytes command); /* a command line that runs the server by its path */
bool sftp_start(struct ssh *, struct ssh_channel *);
void sftp_input(struct ssh *, struct ssh_channel *, struct bytes);
void sftp_gone(struct ssh *, struct ssh_channel *); /* what was uploaded and not closed is kept */
