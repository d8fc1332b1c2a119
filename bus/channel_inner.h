/*
 * What parent and process say to each other: one packet a message on a SOCK_SEQPACKET
 * pair, descriptor 3 of the process, at most one descriptor with it.
 *
 *    parent to process                       process to parent
 *    CONFIG   file name       + memfd        READY
 *    PLACE    numbers, sensor, state         FAULT    sentence
 *    FD       name            + descriptor
 *    PATH     writable, path
 *    GO       run role->run()
 *    LINK     worker, role    + socket
 *    LINKED   all links of the start are told
 *    STOP
 */
#pragma once
#include "base/bytes.h"

#define CHANNEL_FD 3
#define CHANNEL_MESSAGE_MAX 4096

enum channel_message { CHANNEL_CONFIG = 1, CHANNEL_PLACE, CHANNEL_FD_GIVEN, CHANNEL_PATH, CHANNEL_GO,
		       CHANNEL_LINK, CHANNEL_LINKED, CHANNEL_STOP, CHANNEL_READY, CHANNEL_FAULT };

/* Sends one message; `fd` -1: none.  0 or ERR_SYSTEM. */
int channel_send(int channel, enum channel_message, struct bytes body, int fd);
/*
 * Takes one message into `room`; `*fd` is -1 when none came.  ERR_GONE: nothing there now
 * (non-blocking); ERR_SYSTEM: the other side is gone.
 */
int channel_receive(int channel, uint8_t room[CHANNEL_MESSAGE_MAX], enum channel_message *,
		    struct bytes *body, int *fd, bool wait);
