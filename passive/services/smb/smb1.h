/*
 * SMB 1 (MS-CIFS, MS-SMB): one request, and the making of its answer.  For passive/smb alone.
 */
#pragma once
#include "passive/services/smb/smb.h"

#define SMB1_HEAD 32

struct smb1 {
	struct session *session;
	struct smb *smb;
	struct bytes message; /* from its 0xff on */
	uint8_t command;
	uint16_t flags2, tree, user, multiplex;
	struct reader words;
	struct bytes bytes; /* behind the words; cut to what came */
	struct writer *out;
	uint32_t status;
	uint16_t answer_tree, answer_user;
	uint32_t multiplex_add; /* for the implant */
	uint64_t signature;
	size_t words_at, bytes_at;
	bool silent;
};

/* An answer has words, then bytes; a refusal has neither. */
void smb1_words(struct smb1 *);
void smb1_bytes(struct smb1 *); /* ends the words */
void smb1_end(struct smb1 *);
void smb1_refuse(struct smb1 *, uint32_t status);
void smb1_write_text(struct smb1 *, const char *); /* aligned, with its end */
void smb1_pad(struct smb1 *, size_t unit);
void smb1_write_andx(struct smb1 *); /* no further command stands in this message */
void smb1_empty_answer(struct smb1 *);
/* A string of the request at that place of the message, as UTF-8. */
struct bytes smb1_text(const struct smb1 *, const uint8_t *at, const uint8_t *end, char *out,
		       size_t size);

void smb1_tree_command(struct smb1 *);   /* of a tree that is connected */
void smb1_transaction(struct smb1 *);    /* TRANSACTION: pipes */
void smb1_transaction2(struct smb1 *);
void smb1_nt_transact(struct smb1 *);
void smb1_secondary(struct smb1 *);
void smb1_tell_exploit(struct smb1 *, const char *method, const char *rule);
