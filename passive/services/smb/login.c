/* NTLM log-ins of SMB, in SPNEGO, bare, or in the old fields of SMB 1. */
#include "passive/services/smb/smb.h"
#include "passive/accounts.h"
#include "passive/persona.h"

/* Whether the device has an account of that name: only others are guests. */
static bool user_known(struct session *s, const struct smb *smb, struct bytes user)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	const struct account *own = smb->device->accounts.items;
	for (size_t i = 0; i < smb->device->accounts.count; i++)
		if (names_equal(user, bytes_of_text(own[i].user)))
			return true;
	for (size_t i = 0; i < p->credential_count; i++)
		if (names_equal(user, p->credentials[i].user))
			return true;
	return false;
}

uint32_t smb_log_in_plain(struct session *s, struct smb *smb, struct ntlm_login *l)
{
	memcpy(l->challenge, smb->challenge, 8);
	enum ntlm_outcome outcome = ntlm_decide(s, &smb->device->accounts, l, smb->session_key);
	smb->anonymous = outcome == NTLM_ANONYMOUS;
	/* "map to guest = bad user": whom the device does not know is a guest. */
	smb->guest = outcome == NTLM_REFUSED && smb->device->guest && !user_known(s, smb, l->user);
	smb->signed_in = outcome == NTLM_ACCEPTED || smb->anonymous || smb->guest;
	smb->place.signed_in = outcome == NTLM_ACCEPTED;
	if (!smb->signed_in)
		return STATUS_LOGON_FAILURE;
	return STATUS_SUCCESS;
}

static void say_challenge(struct session *s, struct smb *smb, struct bytes blob,
			  struct bytes message, struct writer *out)
{
	uint8_t room[NTLM_CHALLENGE_MAX];
	struct writer w = writer_of(room, sizeof room);
	bool bare = message.at == blob.at;
	struct bytes mechanisms = spnego_mechanisms(blob);
	smb->mechanisms_len = 0;
	if (mechanisms.len <= sizeof smb->mechanisms) {
		if (mechanisms.len)
			memcpy(smb->mechanisms, mechanisms.at, mechanisms.len);
		smb->mechanisms_len = (uint8_t)mechanisms.len;
	}
	little_put(smb->challenge, session_random(s), 8);
	ntlm_write_challenge(&w, &smb->place.host, ntlm_negotiate_flags(message), smb->challenge,
			     session_time_us(s));
	if (bare)
		write_span(out, writer_bytes(&w));
	else
		spnego_write_answer(out, SPNEGO_INCOMPLETE, true, writer_bytes(&w),
				    (struct bytes){0});
	smb->challenged = true;
}

uint32_t smb_log_in(struct session *s, struct smb *smb, struct bytes blob, struct writer *out)
{
	struct bytes message;
	struct ntlm_login l = {0};
	switch (ntlm_find(blob, &message)) {
	case NTLM_NEGOTIATE:
		say_challenge(s, smb, blob, message, out);
		return STATUS_MORE_PROCESSING_REQUIRED;
	case NTLM_AUTHENTICATE:
		break;
	default: /* another mechanism was tried first: NTLM is the one */
		if (spnego_mechanisms(blob).len == 0)
			return STATUS_INVALID_PARAMETER;
		spnego_write_answer(out, SPNEGO_INCOMPLETE, true, (struct bytes){0},
				    (struct bytes){0});
		return STATUS_MORE_PROCESSING_REQUIRED;
	}
	if (!smb->challenged || !ntlm_read(message, &l))
		return STATUS_INVALID_PARAMETER;
	smb->challenged = false;
	uint32_t status = smb_log_in_plain(s, smb, &l);
	if (status || message.at == blob.at)
		return status;
	uint8_t signature[16];
	struct bytes sign = {signature, 0};
	if (spnego_has_signature(blob) && smb->mechanisms_len && smb->place.signed_in) {
		ntlm_sign_first(smb->session_key, l.flags, true,
				(struct bytes){smb->mechanisms, smb->mechanisms_len}, signature);
		sign.len = 16;
	}
	spnego_write_answer(out, SPNEGO_COMPLETED, false, (struct bytes){0}, sign);
	return status;
}
