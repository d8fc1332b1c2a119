/*
 * Parts of the S7 controller: what passive/services/s7comm.c is made of.
 *
 * A job or a request of the user's data is in `parameters` and `values`; what is answered is
 * written behind the header into two writers of the same names.  Each part returns 0 or the
 * error code that S7 knows it by (class and code in one).
 */
#pragma once
#include "passive/device/plant/plant.h"

#define S7_PDU_MAX 480
#define S7_BLOCK_NAME 9 /* "_0A00001P": attributes, kind, number, target */
#define S7_DOWNLOAD_MAX (64u << 10)

struct s7_device {
	const char *module, *hardware, *firmware, *loader, *system, *name, *type, *plant,
	        *copyright;
	const char *serial;
	uint64_t pdu_bytes;
};

struct s7 {
	struct plant plant;
	bool connected, agreed;
	uint16_t pdu_bytes, reference;
	/* The rest of a list that did not fit one answer. */
	struct bytes pending;
	uint8_t pending_reference;
	/* A block that is being downloaded to us. */
	char block[S7_BLOCK_NAME + 1];
	bool downloading;
	uint8_t *downloaded;
	uint32_t downloaded_bytes, downloaded_room;
};

struct s7_request {
	struct session *s;
	struct s7 *c;
	struct reader parameters, values;
	struct writer out_parameters, out_values;
	uint64_t now_us;
	uint16_t reference;
};

enum s7_error {
	S7_NOT_KNOWN = 0x8104,   /* the context is not supported: no such function */
	S7_BAD_REQUEST = 0x8500, /* the PDU is wrong */
	S7_NO_BLOCK = 0xd209,
	S7_PROTECTED = 0xd241,
	S7_NO_SZL = 0xd401,
	S7_NO_SZL_INDEX = 0xd402,
	S7_WRONG_PASSWORD = 0xd602,
};

/* Variables: areas of memory by bytes and bits (passive/services/s7/memory.c). */
uint16_t s7_read_variables(struct s7_request *);
uint16_t s7_write_variables(struct s7_request *);
/* A list of the system's state into `out` (passive/services/s7/lists.c). */
uint16_t s7_list(struct s7_request *, uint16_t id, uint16_t index, struct writer *out);
/* Blocks: what there is of them, and one that comes (passive/services/s7/blocks.c). */
uint16_t s7_blocks(struct s7_request *, uint8_t function, struct writer *out);
uint16_t s7_download_begin(struct s7_request *);
void s7_download_part(struct s7_request *, bool more);
void s7_download_end(struct s7_request *);
/* A job of ours to the peer: it fetches the next part of the block, or says that it has it all. */
void s7_say_job(struct session *, struct s7 *, uint8_t function);
