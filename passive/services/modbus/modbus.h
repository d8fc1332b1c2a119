/*
 * Parts of the Modbus server: its memory, which the process moves and visitors write (memory.c).
 * passive/services/modbus.c has frames, diagnostics and identity.
 */
#pragma once
#include "passive/device/plant/plant.h"

#define FRAME_MAX 254 /* unit, function and data (Messaging on TCP/IP V1.0b, 3.1.3) */
#define READ_BITS_MAX 2000
#define READ_WORDS_MAX 125
#define WRITE_BITS_MAX 1968
#define WRITE_WORDS_MAX 123
#define BOTH_WRITE_WORDS_MAX 121
#define FILE_RECORDS_MAX 10000

enum {
	READ_COILS = 1,
	READ_INPUTS,
	READ_HOLDING,
	READ_INPUT_WORDS,
	WRITE_COIL,
	WRITE_WORD,
	EXCEPTION_STATUS,
	DIAGNOSTICS,
	EVENT_COUNTER = 11,
	EVENT_LOG,
	WRITE_COILS = 15,
	WRITE_WORDS,
	REPORT_SERVER,
	READ_FILE = 20,
	WRITE_FILE,
	MASK_WORD,
	READ_WRITE_WORDS,
	READ_FIFO,
	ENCAPSULATED = 43
};

enum { BAD_FUNCTION = 1, BAD_ADDRESS = 2, BAD_VALUE = 3 };

enum { KEY_COIL = 1u << 16, KEY_WORD = 2u << 16, KEY_FILE = 3u << 16 }; /* of the plant's cells */

struct modbus_device {
	const char *vendor, *product, *revision, *url, *name, *model, *application, *server_id;
	uint64_t coils, registers;
};

struct modbus {
	struct plant plant;
	uint16_t messages, exceptions, events;
	bool lost, listens_only;
};

/* One request: what it holds, what is answered. */
struct modbus_request {
	struct session *s;
	struct modbus *m;
	const struct modbus_device *device;
	struct reader in;
	struct writer out;
	uint64_t now_us;
	uint8_t unit, function;
};

/*
 * Functions of the application protocol (V1.1b3, 6): each reads its arguments from `in` and writes
 * its answer behind the function's number; 0, or the exception.
 */
int modbus_read_bits(struct modbus_request *);
int modbus_read_words(struct modbus_request *);
int modbus_write_coil(struct modbus_request *);
int modbus_write_word(struct modbus_request *);
int modbus_write_many(struct modbus_request *);
int modbus_mask_word(struct modbus_request *);
int modbus_read_write_words(struct modbus_request *);
int modbus_read_file(struct modbus_request *);
int modbus_write_file(struct modbus_request *);
int modbus_read_fifo(struct modbus_request *);
