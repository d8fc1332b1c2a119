/*
 * Remote Desktop (MS-RDPBCGR, MS-CSSP): parts of passive/services/rdp.c.
 *
 * credssp.c is the log-in before anything is shown (NLA); mcs.c the conference that carries the
 * desktop, up to the log-in inside it; desktop.c what is shown then, and typed.
 */
#pragma once
#include "passive/service.h"
#include "passive/services/windows/system.h"

#define RDP_CHANNELS_MAX 31
#define RDP_MESSAGE_MAX 16384
#define RDP_USER 1007
#define RDP_TYPED_MAX 256

enum rdp_protocol { RDP_STANDARD = 0, RDP_TLS = 1, RDP_HYBRID = 2, RDP_RDSTLS = 4, RDP_HYBRID_EX = 8 };
enum rdp_phase { RDP_CONNECT, RDP_NLA, RDP_NLA_CREDENTIALS, RDP_CONFERENCE, RDP_ACTIVE };
enum rdp_nla { NLA_AS_SYSTEM, NLA_REQUIRED, NLA_OPTIONAL, NLA_OFF };

struct rdp_device {
	struct windows_identity identity; /* first, as all services have it */
	struct option_list accounts;
	int nla;
};

struct rdp {
	const struct rdp_device *device;
	const struct windows_system *system;
	struct ntlm_host host;
	uint32_t asked, protocol; /* of enum rdp_protocol */
	uint8_t phase;
	uint8_t challenge[8], nonce[32];
	bool nonce_given;
	uint8_t version; /* of CredSSP */
	uint8_t channels;
	uint16_t width, height; /* of the client's screen */
	bool logged_in, drawn, shift;
	uint8_t lines; /* told */
	uint16_t typed_len;
	char typed[RDP_TYPED_MAX]; /* since the last Enter */
};

/* One TSRequest; SERVICE_CLOSE after a refusal. */
enum service_next rdp_credssp(struct session *, struct rdp *, struct bytes request);
/* One TPKT's content behind the X.224 head. */
enum service_next rdp_conference(struct session *, struct rdp *, struct bytes);
/* After the licence: capabilities; then what the client sends to share; and the end. */
void rdp_desktop_open(struct session *, struct rdp *);
void rdp_desktop_take(struct session *, struct rdp *, struct reader *);
void rdp_desktop_close(struct session *, struct rdp *);
void rdp_say_data(struct session *, struct bytes); /* in TPKT and X.224 data */

extern const struct exchange rdp_exchanges[];
