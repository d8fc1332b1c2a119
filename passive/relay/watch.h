/*
 * What a visitor types at a backend's shell, told as the emulator's shell tells it: command.sent
 * for each line, the secret where one is asked for; over Telnet also the log-in.
 */
#pragma once
#include "passive/service.h"
#include "passive/device/shell/terminal.h"

#define WATCH_USER_MAX 63

enum watch_login { WATCH_INSIDE, WATCH_NAME, WATCH_SECRET, WATCH_DECISION };

struct watch {
	struct terminal terminal;
	uint8_t login; /* of enum watch_login; where the visitor logs in by itself it begins at a name */
	uint8_t user_len, secret_len, tail_len;
	uint8_t user[WATCH_USER_MAX], secret[WATCH_USER_MAX];
	uint8_t tail[16]; /* of what the backend said */
};

/* Neither what is typed nor what is said is kept longer than a line. */
void watch_input(struct watch *, struct session *, struct bytes text);
void watch_output(struct watch *, struct session *, struct bytes text);
void watch_end(struct watch *, struct session *);
