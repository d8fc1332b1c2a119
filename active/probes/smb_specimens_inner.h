/* What real SMB servers answered to the probe beside this, and what hostile ones might. */
#pragma once
#include "active/probe.h"

#define SMB_TWO_ASKED                                                                     \
	"\0\0\0\xae\xfeSMB@\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0$\0\x05\0\x01\0\0\0\0\0\0\0kan" \
	"soku observerp\0\0\0\x02\0\0\0\x02\x02\x10\x02\0\x03\x02\x03\x11\x03\0\0\x01\0&\0\0" \
	"\0\0\0\x01\0 \0\x01\0looked at once, never logged in.\0\0\x02\0\x06\0\0\0\0\0\x02\0" \
	"\x02\0\x01\0"

#define SMB_ONE_ASKED                                                                     \
	"\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0c\0" \
	"\x02NT LM 0.12"

#define SAMBA_TWO                                                                         \
	"\0\0\0\xfe\xfeSMB@\0\0\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0A\0\x01\0\x11\x03\x01\0files" \
	"rv\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\x80\0\0\0\x80\0\0\0\x80\0\xee" "0v\x8e\x86{\xdd" \
	"\x01\0\0\0\0\0\0\0\0\x80\0J\0\xd0\0\0\0`H\x06\x06+\x06\x01\x05\x05\x02\xa0>0<\xa0" \
	"\x0e" "0\x0c\x06\n+\x06\x01\x04\x01\x82" "7\x02\x02\n\xa3*0(\xa0&\x1b$not_defined_in" \
	"_RFC4178@please_ignore\0\0\0\0\0\0\x01\0&\0\0\0\0\0\x01\0 \0\x01\0\xa2\x87\x0bNP\x0f" \
	"\x93\xe8{\xd2\r\x1d\x85\xde\xad\xeeqP\0\xc6MNe\xdb\x08\xb4\x80\xe9\x8c" "e\x0f\xac"

#define SAMBA_ONE                                                                         \
	"\0\0\0m\xffSMBr\0\0\0\0\x88\x03\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x11\0\0" \
	"\x03" "2\0\x01\0\x04" "A\0\0\0\0\x01\0\xfdV\0\0\xfd\xf3\x80\0\xbaVw\x8e\x86{\xdd\x01" \
	"\0\0\x08(\0\x11h\x8f\xa9\xefkL\xbf" "E\0X\0A\0M\0P\0L\0E\0\0\0F\0I\0L\0E\0S\0R\0V\0" \
	"\0\0"

#define SAMBA_NOT_ONE                                                                     \
	"\0\0\0%\xffSMBr\0\0\0\0\x88\x03\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xff" \
	"\xff\0\0"

#define OTHER_TWO                                                                         \
	"\0\0\0\xfe\xfeSMB@\0\0\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0A\0\x03\0\x10\x02\x01\0\x91" \
	"\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f\xa0\x07\0\0\0\0\0\x80\0\0\0" \
	"\x80\0\0\0\x80\0\0\x10\x12\x9b" "0\x18\xda\x01\0\0m\xc6G\x17\xda\x01\xf0\xffJ\0\xd0" \
	"\0\0\0`H\x06\x06+\x06\x01\x05\x05\x02\xa0>0<\xa0\x0e" "0\x0c\x06\n+\x06\x01\x04\x01" \
	"\x82" "7\x02\x02\n\xa3*0(\xa0&\x1b$not_defined_in_RFC4178@please_ignore\0\0\0\0\0\0" \
	"\x01\0&\0\0\0\0\0\x01\0 \0\x01\0\xa2\x87\x0bNP\x0f\x93\xe8{\xd2\r\x1d\x85\xde\xad" \
	"\xeeqP\0\xc6MNe\xdb\x08\xb4\x80\xe9\x8c" "e\x0f\xac"

#define REFUSES_TWO                                                                       \
	"\0\0\0I\xfeSMB@\0\0\0\xbb\0\0\xc0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0A\0\x01\0\x11\x03\x01\0f"

static const struct specimen smb_specimens[] = {
	{
		.title = "Samba 4.17 that still speaks SMB 1",
		.answers = {BYTES(SAMBA_TWO), BYTES(SAMBA_ONE)},
		.asked = BYTES(SMB_TWO_ASKED SMB_ONE_ASKED "\0"),
		.answered = "{\"status\":0,\"smb.dialect\":\"3.1.1\",\"smb.signing\":\"enabled"
			    "\",\"smb.guid\":\"656c6966-7273-0076-0000-000000000000\",\"smb.nam"
			    "e\":\"filesrv\",\"smb.mechanisms\":\"ntlm\",\"smb.time\":\"2026-11"
			    "-23T20:09:33.692747Z\",\"smb.capabilities\":7}\n"
			    "{\"smb.dialect\":\"NT LM 0.12\",\"smb.signing\":\"none\",\"smb.nam"
			    "e\":\"FILESRV\",\"smb.domain\":\"EXAMPLE\",\"smb.smb1\":true,\"smb"
			    ".time\":\"2026-11-23T20:09:33.700268Z\",\"smb.capabilities\":84510"
			    "69}\n",
		.signals = "smb.negotiation: dialect=3.1.1\nsigning=enabled\nmechanisms=ntlm\n"
			   "smb.negotiation: dialect=NT LM 0.12\ntarget=FILESRV\ndomain=EXAMPLE\n",
	},
	{
		.title = "Samba 4.17 as it is set up today takes no SMB 1",
		.answers = {BYTES(SAMBA_TWO), BYTES(SAMBA_NOT_ONE)},
		.asked = BYTES(SMB_TWO_ASKED SMB_ONE_ASKED "\0"),
		.answered = "{\"status\":0,\"smb.dialect\":\"3.1.1\",\"smb.signing\":\"enabled"
			    "\",\"smb.guid\":\"656c6966-7273-0076-0000-000000000000\",\"smb.nam"
			    "e\":\"filesrv\",\"smb.mechanisms\":\"ntlm\",\"smb.time\":\"2026-11"
			    "-23T20:09:33.692747Z\",\"smb.capabilities\":7}\n"
			    "{\"smb.smb1\":false}\n",
		.signals = "smb.negotiation: dialect=3.1.1\nsigning=enabled\nmechanisms=ntlm\n",
	},
	{
		.title = "SMB 2.1 with a time of its start, a security buffer outside of it, and no SMB 1",
		.answers = {BYTES(OTHER_TWO), BYTES("")},
		.asked = BYTES(SMB_TWO_ASKED SMB_ONE_ASKED "\0"),
		.answered = "{\"smb.dialect\":\"2.1\",\"smb.signing\":\"required\",\"smb.booted\":"
			    "\"2023-11-14T22:13:20.000000Z\",\"smb.guid\":"
			    "\"94939291-9695-9897-999a-9b9c9d9e9fa0\"}\n{\"smb.smb1\":false}\n",
		.signals = "smb.negotiation: dialect=2.1\nsigning=required\n",
	},
	{
		.title = "a server that refuses the first offer",
		.answers = {BYTES(REFUSES_TWO), BYTES(SAMBA_NOT_ONE)},
		.asked = BYTES(SMB_TWO_ASKED SMB_ONE_ASKED "\0"),
		.answered = "{}\n{\"smb.smb1\":false}\n",
	},
	{
		.title = "a message that is longer than any may be",
		.answers = {BYTES("\0\0\xff\xff\xfeSMB@"), BYTES("\0\0\0\x08\xffSMBr\0\0\0")},
		.asked = BYTES(SMB_TWO_ASKED),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-x\r\n"), BYTES("")},
		.asked = BYTES(SMB_TWO_ASKED),
		.answered = "{\"banner\":\"SSH-2.0-x\\r\\n\"}\n",
	},
	{0},
};
