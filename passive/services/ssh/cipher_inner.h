/* The primitives under flow_seal() and flow_open(): each false when libcrypto fails. */
#pragma once
#include "passive/services/ssh/cipher.h"

#define SSH_AEAD_TAG 16

bool flow_cipher(struct ssh_flow *, const uint8_t *in, size_t n, uint8_t *out);
/* Over the sequence number and the message. */
bool flow_tag(struct ssh_flow *, struct bytes message, uint8_t tag[SSH_TAG_MAX]);
bool chacha_length(struct ssh_flow *, const uint8_t in[4], uint8_t out[4]);
bool chacha_body(struct ssh_flow *, const uint8_t *in, size_t n, uint8_t *out);
bool chacha_tag(struct ssh_flow *, struct bytes sealed, uint8_t tag[SSH_TAG_MAX]);
bool gcm_begin(struct ssh_flow *, const uint8_t length[4]); /* and counts */
