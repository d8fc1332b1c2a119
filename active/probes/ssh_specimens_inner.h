/* What real SSH servers answered to the probe beside this, and what hostile ones might. */
#pragma once
#include "active/probe.h"

#define OPENSSH_ANSWER                                                                    \
	"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n\0\0\x04T\x07\x14\xe5" "f\x05?\xfemA\x06" \
	"\xac\xb5\xa9" "a^\xb0\x8e\xe0\0\0\x01=sntrup761x25519-sha512,sntrup761x25519-sha512@" \
	"openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-s" \
	"ha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-" \
	"group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,kex-stric" \
	"t-s-v00@openssh.com\0\0\0%ssh-ed25519,rsa-sha2-512,rsa-sha2-256\0\0\0lchacha20-poly1" \
	"305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@o" \
	"penssh.com\0\0\0lchacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes1" \
	"28-gcm@openssh.com,aes256-gcm@openssh.com\0\0\0\xd5umac-64-etm@openssh.com,umac-128-" \
	"etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha" \
	"1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-5" \
	"12,hmac-sha1\0\0\0\xd5umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256" \
	"-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@ope" \
	"nssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1\0\0\0\x15none,zl" \
	"ib@openssh.com\0\0\0\x15none,zlib@openssh.com\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\xbc\x08\x1f\0\0\0" "3\0\0\0\x0bssh-ed25519\0\0\0 \xab<#\xe6\x90LB\xec\xcd" \
	"\xd7\x9e\x87m\xcc\x7f" "D\xdc\x8e\x85\x1di\xa8/\x98\xef,\xd2\xdfZ\xda\xd0\xa5\0\0\0 " \
	"\x18\x83((\xc2\x8c*\x8b\xc9K\x83\x9d{(\x18u\x0b\x82<\xbaJ\x96G\xed\xd6P{EY\x90\x8ev" \
	"\0\0\0S\0\0\0\x0bssh-ed25519\0\0\0@\n\x8fh\xd8\x9e" "D\xdf\xff\xc6\xb3J\xc9+\x89\x96" \
	"q\x17?\x96\xaf\xd8\x8f" "a!\xdb" "F\x0c\xa7\x1cO\x92\xdeMnN\xc3\xd7\n/\x86ow\xc5\xc7" \
	"J\xa0\xf4\xe5\xdf" "5@\xe0\x09P\xa6\x02\x1c]\xf6\xe9" "Ei,\x09\0\0\0\0\0\0\0\0\0\0\0" \
	"\x0c\n\x15\0\0\0\0\0\0\0\0\0\0"

#define OPENSSH_ASKED                                                                     \
	"SSH-2.0-kansoku https://example.org/probing\r\n\0\0\0\xd4\x09\x14kansoku \xdf" "3" \
	"\xf2qX\x1c\x90\xb5\0\0\0\x11" "curve25519-sha256\0\0\0\x0bssh-ed25519\0\0\0\x1d" "ch" \
	"acha20-poly1305@openssh.com\0\0\0\x1d" "chacha20-poly1305@openssh.com\0\0\0\x17umac-" \
	"64-etm@openssh.com\0\0\0\x17umac-64-etm@openssh.com\0\0\0\x04none\0\0\0\x04none\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0,\x06\x1e\0\0\0 \x09\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "4\x0b\x01\0\0\0\x0b" \
	"\0\0\0\x1bhttps://example.org/probing\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#define DROPBEAR_ANSWER                                                                   \
	"SSH-2.0-dropbear_2022.83\r\n\0\0\x01\xf4\x0b\x14\x90;\x99\xdf<\x0e\xf9:\x1c\x85kdD" \
	"\x90\x1b\xe7\0\0\0\xd8" "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-ni" \
	"stp521,ecdh-sha2-nistp384,ecdh-sha2-nistp256,diffie-hellman-group14-sha256,diffie-he" \
	"llman-group14-sha1,kexguess2@matt.ucc.asn.au,kex-strict-s-v00@openssh.com\0\0\0\x14r" \
	"sa-sha2-256,ssh-rsa\0\0\0" "3chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr\0\0" \
	"\0" "3chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr\0\0\0\x17hmac-sha1,hmac-sh" \
	"a2-256\0\0\0\x17hmac-sha1,hmac-sha2-256\0\0\0\x15zlib@openssh.com,none\0\0\0\x15zlib" \
	"@openssh.com,none\0\0\0\0\0\0\0\0\0\0\0\0\0\x85\xd2uD\xa9k\xc5\xc5\xdd\xb9\xe9\0\0" \
	"\x02" "d\x0b\x1f\0\0\x01\x17\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\x01\x01\0\xa7" \
	"\xf0\xcb\xe1" "b\xcb\xacq\xee\xbfH\x12?\\\xcb$j\x1e\x9c\x95o\xd2s\xfd\x16\xa4\x96" \
	"0\xf9~\xed-G?\x08u\xb3M\xd8\xa1" "6\x09\xf3\x91\x01\x16g\xf5\xee\xd3\xc8\0a\0cx\x14G" \
	"L\xb0\x08M\x03\x91w\xd1!\xfc\xd2K)%\x8d\xfa&\x7f\x13$pT\xe5p\xc6*|(\xfb\xbc\x86/\xe0" \
	"m\xb1s[\xc9" "b\xe4\xb4\x13\n_Y\x9cT\xe4\xa3R\x12\xe4*l\xf7" "b\xb1\x80\xb4\x15" "B" \
	"\x06\x82\x12\x99\xbc\xabQ\xd2\xe8\x94\x97\x1d\xac\n\08F\xb4|uT\xb3\x07\xa6\xcc\xd3" \
	"\xf7\x09+E5\x8f\\\x82?xl?\x94\0\x0c\xc7\xfc\x88\xfd\xb7\xef\x8b\xdb\xbaW\x16\xd6[" \
	"\x8d\xc8>\xb1\xc6H\xaf^\x9f\xd1tT\x17(\x15S\xc5T+ \x13@\xf9\x87\xa0" "7\x83{\xec\x01" \
	"\xd2\xfb'WL\xf2\xe7&B~L\x92,\xf1\xda\xdb\xceTH\xb9\x02\xbc\x07" "e\x08\x10)\xd0\x06" \
	"\x1c\xd4\xbc\xc7\x8f\xe5\x15" "C\x01\xb3^\xd2" "f\xe7\x94+\xe6\xed" "8,\xfbk\xa8" "3" \
	"\0\0\0 \xf9\x8f\xb4\x85\xe3\xe6T\xfc\xcf\x86\xdf\xaa" "Awz\x88\n\xf1" "dLi\xf4\x1f" \
	"b\x19\xb5\x02+\xdd\xeb\xabx\0\0\x01\x14\0\0\0\x0crsa-sha2-256\0\0\x01\0W\xc5\xa2M" \
	"\xfc,5^H\xdd\xbf\xaas\xa2\xfe<ly\xb5|\xde\x12\xaa\xdfs\x13\x85-\n\x1c(\xc8p4\xd1" "0" \
	"yqh\xaaO\xc3\x9c*\xc9\x81\x03\xc4\xf1\xcbv\xab\xc9g\xbf" "d\xa8\xca\x96\x80\xb2\0" \
	"\xf4\xe2\x0c\x1fy\x16l\xd3\x90\xf4\x02\xefNk\x0b\xa0\x87\x06\xe8h\\7\xf1\xf0\x9f\x93" \
	"\xd9\xd2\x8c\xed\xdb\xa3V\x9d\xa2\xa6\xa6\x15\xb4" "2\x13rT\x87\x02\xb3" "D\x04xA" \
	"\xadx'\x95\x86\xe5\xea(JH\x7fK\xba\xf0\xac\xba`\x9c\xdb\xf5\xb8}\x98\xba\xd6\xaaU" \
	"\xaa\xd5$\xf3Z\x1f\x81\xa5TF\x13!\xde\xa2" "fA-\xe5p\xacq\x90/)\x91\x80\xd0TZ\x94" \
	"\xb7G\xaa\">&\xf6\x1aP\xba\xa7\xb3J1\xd0\xda" "b\x8c=\xc2]\x15\x1e" "7`\x95O\x02\xa0" \
	"\xe5'W\x96kN\xf2\x96" "bd\x94\xc2\xce\xc1N\x83\xb1" "8\x9a\x92\x80yhl\xdf\xabz\xbb" \
	"\xa1" "4U'\x98\x18\xee\xbc\x1f:\xd7\x1e\x14\xe4}.\x99" "6\xe0kP\x18\x80\x03j\xe5\xd4" \
	"\0\xa4" "D\x06\xb6h\xeaq\x1f" "3J\xa8r\xbd\0\0\0\x0c\n\x15ly@\xf2VI\x91\xd4\x9b" "b"

#define DROPBEAR_ASKED                                                                    \
	"SSH-2.0-kansoku https://example.org/probing\r\n\0\0\0\xcc\x04\x14kansoku \xdf" "3" \
	"\xf2qX\x1c\x90\xb5\0\0\0\x11" "curve25519-sha256\0\0\0\x0crsa-sha2-256\0\0\0\x1d" "c" \
	"hacha20-poly1305@openssh.com\0\0\0\x1d" "chacha20-poly1305@openssh.com\0\0\0\x09hmac" \
	"-sha1\0\0\0\x09hmac-sha1\0\0\0\x10zlib@openssh.com\0\0\0\x10zlib@openssh.com\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0,\x06\x1e\0\0\0 \x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "4\x0b\x01\0\0\0\x0b\0\0\0\x1bhttp" \
	"s://example.org/probing\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#define OLD_ANSWER                                                                        \
	"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n\0\0\0\xe4\x0b\x14K\xda\x9d\xfeO\xcbTp" \
	"\x18;yc>|<\xa3\0\0\0" "7diffie-hellman-group1-sha1,kex-strict-s-v00@openssh.com\0\0" \
	"\0\x13" "ecdsa-sha2-nistp256\0\0\0\naes128-ctr\0\0\0\naes128-ctr\0\0\0\x09hmac-sha1" \
	"\0\0\0\x09hmac-sha1\0\0\0\x15none,zlib@openssh.com\0\0\0\x15none,zlib@openssh.com\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" "d\n\x1f\0\0\0h\0\0\0\x13" \
	"ecdsa-sha2-nistp256\0\0\0\x08nistp256\0\0\0A\x04\xa2\x16$u\x07]\xe5\xc2\xff&\x8d\xc0" \
	"\xea" "C\xe7\xf2Oq\xc0\xb1\x05\x09\x06Lp\xc1" "6\xd4\x14\xe9\x15\x11\x18=\xccKn\xe6x" \
	"\xf1\xca\xb3" "4#.\xfa\xbb\xa6g,\xdf\x94\x82\xa4\xf7\xed" "e\x9f" "EH\xc9.D\xe1\0\0" \
	"\0\x80,\xd5" "Fy\xb6\xaa|-\0SD%\x98\xabg\x1c\xd3\xf4\xe0\xe0\xc5\xea\x1a" "a\xdd\xcd" \
	"\xe7\xaf\xda\x8d\xba>u\xa4[\xad\x84" "f\xe7{\xf9" "A\xe8\xb5" "C\xb7" "7\xb1\xe0\x8b" \
	"\xcb+\xcd\x95)\xc7\xa4\xc8U2\x87r\x9a" "b\xa0GW;\xed\x1c\x90\x1eTc\x8c\xba\xffr\x9c" \
	"\xe0\xab\x19\x09\xd0\x12\xc8\x88\x19\xbb\0\xc0>n\x8c'\x06\x17I\x8fh\x1b\x9c" "D\xa4" \
	"\xb2\x93\x12\xa4\x9a\xe3\xc5\xd1\xe2\xbf" "e@\xf1O\x81j\xc4\xfboBZ\xcdO5\0\0\0d\0\0" \
	"\0\x13" "ecdsa-sha2-nistp256\0\0\0I\0\0\0!\0\xa0~#\xc6>u\x9d\xb3\xebH\x9a,\x82T0\x1b" \
	"\xe1\x11#[r\xd1;\xd7" "Fj\xbb\x81^\xfd\xe8\xfb\0\0\0 /\xdc\xe0h9\x1d\xedG\xc7\xcd" \
	"0\x95\xe1!\xca" "5\xf4\x9e\xac\x84\xf5\xeb\xa3\xa0\x11I<\xc3X\xb4\x13\xcb\0\0\0\0\0" \
	"\0\0\0\0\0\0\0\0\x0c\n\x15\0\0\0\0\0\0\0\0\0\0"

#define OLD_ASKED                                                                         \
	"SSH-2.0-kansoku https://example.org/probing\r\n\0\0\0\xa4\n\x14kansoku \xdf" "3\xf2q" \
	"X\x1c\x90\xb5\0\0\0\x1a" "diffie-hellman-group1-sha1\0\0\0\x13" "ecdsa-sha2-nistp256" \
	"\0\0\0\naes128-ctr\0\0\0\naes128-ctr\0\0\0\x09hmac-sha1\0\0\0\x09hmac-sha1\0\0\0\x04" \
	"none\0\0\0\x04none\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x8c\x06\x1e\0" \
	"\0\0\x80\x11\xf8\xf8\x04\x88\x8f:Y$\x18\x08v2\x17\"\xe4\xd8\xf9\xad\x97\xd4\xc8\xc5" \
	"\xcf\x12$m\x01\x85\xf2\x04P\x9b$R4>m\xadH-\x9d\nd\xd4,3\xdc\xc8" "6Jk\xbc\xf9&\x19" \
	"\x02\x16w\xa2\x90\x11\x96@lG\xe8\xbb" "D0\x17\xa8\x11\xd9V\x04\xb1p\x80+\xa5\"\xb7ZB" \
	"f\xd7\xe1\xf8\x0e" "bWd\x83\xfe[\xea" "66G\x0f" "f\x8e\xf8\xa9\x09\x8c\x80\x13\x8a~" \
	"\x9b\xdcn\x10\xf6\x95\x16{|vA\x89\xfc\x05\xa6\r[\0\0\0\0\0\0\0\0\0" "4\x0b\x01\0\0\0" \
	"\x0b\0\0\0\x1bhttps://example.org/probing\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#define FORGED_ANSWER                                                                     \
	"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n\0\0\0\xe4\x0b\x14K\xda\x9d\xfeO\xcbTp" \
	"\x18;yc>|<\xa3\0\0\0" "7diffie-hellman-group1-sha1,kex-strict-s-v00@openssh.com\0\0" \
	"\0\x13" "ecdsa-sha2-nistp256\0\0\0\naes128-ctr\0\0\0\naes128-ctr\0\0\0\x09hmac-sha1" \
	"\0\0\0\x09hmac-sha1\0\0\0\x15none,zlib@openssh.com\0\0\0\x15none,zlib@openssh.com\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" "d\n\x1f\0\0\0h\0\0\0\x13" \
	"ecdsa-sha2-nistp256\0\0\0\x08nistp256\0\0\0A\x04\xa2\x16$u\x07]\xe5\xc2\xff&\x8d\xc0" \
	"\xea" "C\xe7\xf2Oq\xc0\xb1\x05\x09\x06Lp\xc1" "6\xd4\x14\xe9\x15\x11\x18=\xccKn\xe6x" \
	"\xf1\xca\xb3" "4#.\xfa\xbb\xa6g,\xdf\x94\x82\xa4\xf7\xed" "e\x9f" "EH\xc9.D\xe1\0\0" \
	"\0\x80,\xd5" "Fy\xb6\xaa|-\0SD%\x98\xabg\x1c\xd3\xf4\xe0\xe0\xc5\xea\x1a" "a\xdd\xcd" \
	"\xe7\xaf\xda\x8d\xba>u\xa4[\xad\x84" "f\xe7{\xf9" "A\xe8\xb5" "C\xb7" "7\xb1\xe0\x8b" \
	"\xcb+\xcd\x95)\xc7\xa4\xc8U2\x87r\x9a" "b\xa0GW;\xed\x1c\x90\x1eTc\x8c\xba\xffr\x9c" \
	"\xe0\xab\x19\x09\xd0\x12\xc8\x88\x19\xbb\0\xc0>n\x8c'\x06\x17I\x8fh\x1b\x9c" "D\xa4" \
	"\xb2\x93\x12\xa4\x9a\xe3\xc5\xd1\xe2\xbf" "e@\xf1O\x81j\xc4\xfboBZ\xcdO5\0\0\0d\0\0" \
	"\0\x13" "ecdsa-sha2-nistp256\0\0\0I\0\0\0!\0\xa0~#\xc6>u\x9d\xb3\xebH\x9a,\x82T0\x1b" \
	"\xe1\x11#[r\xd1;\xd7" "Fj\xbb\x81^\xfd\xe8\xfb\0\0\0 /\xdc\xe0h9\x1d\xedG\xc7\xcd" \
	"0\x95\xe1!\xca" "5\xf4\x9e\xac\x84\xf5\xeb\xa3\xa0\x11I<\xc3X\xb4\x13\xca\0\0\0\0\0" \
	"\0\0\0\0\0"

#define VERSION "SSH-2.0-kansoku https://example.org/probing\r\n"

#define LEAVE                                                                             \
	"\0\0\0" "4\x0b\x01\0\0\0\x0b\0\0\0\x1bhttps://example.org/probing\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0\0\0"

static const struct specimen ssh_specimens[] = {
	{
		.title = "OpenSSH 9.2 of Debian 12, Ed25519 by X25519",
		.answers = {BYTES(OPENSSH_ANSWER)},
		.asked = BYTES(OPENSSH_ASKED),
		.answered = "{\"banner\":\"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\",\"ssh.hass"
			    "h_server\":\"425d29fe50d8e4f5e37efb6e24bcf660\",\"ssh.host_key\":"
			    "\"SHA256:G3iQVQ7tF0pAMiZ4UozAhVhqMdtOo302y0QK8NUSNn8\",\"ssh.host_"
			    "key_type\":\"ssh-ed25519\",\"ssh.host_key_proved\":true,\"ssh.host"
			    "_key_types\":\"ssh-ed25519,rsa-sha2-512,rsa-sha2-256\",\"ssh.compr"
			    "ession\":\"none,zlib@openssh.com\"}\n",
		.signals = "ssh.banner: OpenSSH_9.2p1 Debian-2+deb12u10\n"
			   "ssh.hassh_server: 425d29fe50d8e4f5e37efb6e24bcf660\n"
			   "ssh.host_key: SHA256:G3iQVQ7tF0pAMiZ4UozAhVhqMdtOo302y0QK8NUSNn8\n",
	},
	{
		.title = "Dropbear 2022.83, RSA by X25519",
		.answers = {BYTES(DROPBEAR_ANSWER)},
		.asked = BYTES(DROPBEAR_ASKED),
		.answered = "{\"banner\":\"SSH-2.0-dropbear_2022.83\",\"ssh.hassh_server\":\"e1"
			    "a0b5f8d334ec70fe937b2d5ff8d0b6\",\"ssh.host_key\":\"SHA256:C6GdV3S"
			    "jZk9GNBuKc+DHmXSKKv0vwuIXaLLBmJhXvjk\",\"ssh.host_key_type\":\"ssh"
			    "-rsa\",\"ssh.host_key_proved\":true,\"ssh.host_key_types\":\"rsa-s"
			    "ha2-256,ssh-rsa\",\"ssh.compression\":\"zlib@openssh.com,none\"}\n",
		.signals = "ssh.banner: dropbear_2022.83\n"
			   "ssh.hassh_server: e1a0b5f8d334ec70fe937b2d5ff8d0b6\n"
			   "ssh.host_key: SHA256:C6GdV3SjZk9GNBuKc+DHmXSKKv0vwuIXaLLBmJhXvjk\n",
	},
	{
		.title = "OpenSSH limited to group 1, as old devices are; ECDSA",
		.answers = {BYTES(OLD_ANSWER)},
		.asked = BYTES(OLD_ASKED),
		.answered = "{\"banner\":\"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\",\"ssh.hass"
			    "h_server\":\"fab6af9aaef1374778aa63dc05a27023\",\"ssh.host_key\":"
			    "\"SHA256:oj7XVitfFq7fE1hAjDjaA3XTXVWrIsLYDF58Vc5/bXI\",\"ssh.host_"
			    "key_type\":\"ecdsa-sha2-nistp256\",\"ssh.host_key_proved\":true,\""
			    "ssh.host_key_types\":\"ecdsa-sha2-nistp256\",\"ssh.compression\":"
			    "\"none,zlib@openssh.com\",\"ssh.kex\":\"diffie-hellman-group1-sha1"
			    ",kex-strict-s-v00@openssh.com\",\"ssh.ciphers\":\"aes128-ctr\",\"s"
			    "sh.macs\":\"hmac-sha1\"}\n",
		.signals = "ssh.banner: OpenSSH_9.2p1 Debian-2+deb12u10\n"
			   "ssh.hassh_server: fab6af9aaef1374778aa63dc05a27023\n"
			   "ssh.host_key: SHA256:oj7XVitfFq7fE1hAjDjaA3XTXVWrIsLYDF58Vc5/bXI\n",
	},
	{
		.title = "a signature with one bit changed proves nothing",
		.answers = {BYTES(FORGED_ANSWER)},
		.asked = BYTES(OLD_ASKED),
		.answered = "{\"ssh.host_key_proved\":false,\"ssh.host_key\":\"SHA256:oj7XVitfFq7fE1hAjDjaA3XTXVWrIsLYDF58Vc5/bXI\"}\n",
		.signals = "ssh.banner: OpenSSH_9.2p1 Debian-2+deb12u10\n"
			   "ssh.hassh_server: fab6af9aaef1374778aa63dc05a27023\n"
			   "ssh.host_key: SHA256:oj7XVitfFq7fE1hAjDjaA3XTXVWrIsLYDF58Vc5/bXI\n",
	},
	{
		.title = "something else on the port is told nothing",
		.answers = {BYTES("220 ftp\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"220 ftp\\r\\n\"}\n",
	},
	{
		.title = "a server of protocol 1 is told nothing",
		.answers = {BYTES("SSH-1.5-Cisco-1.25\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"SSH-1.5-Cisco-1.25\"}\n",
		.signals = "ssh.banner: Cisco-1.25\n",
	},
	{
		.title = "lines before the banner; a packet that is longer than any may be",
		.answers = {BYTES("Authorised use only\r\n\r\nSSH-1.99-Cisco-1.25\n\0\xff\xff\xff\0")},
		.asked = BYTES(VERSION LEAVE),
		.answered = "{\"banner\":\"SSH-1.99-Cisco-1.25\"}\n",
		.signals = "ssh.banner: Cisco-1.25\n",
	},
	{
		.title = "a server that is full hangs up in words",
		.answers = {BYTES("SSH-2.0-x\r\n\0\0\0\x0c\x06\x01\0\0\0\x0c" "full!!")},
		.asked = BYTES(VERSION LEAVE),
		.answered = "{\"banner\":\"SSH-2.0-x\"}\n",
		.signals = "ssh.banner: x\n",
	},
	{
		.title = "lists that reach beyond their message",
		.answers = {BYTES("SSH-2.0-x\r\n\0\0\0\x1c\x04\x14" "0123456789abcdef\xff\xff\xff\xff" "kexabcd")},
		.asked = BYTES(VERSION LEAVE),
		.answered = "{\"banner\":\"SSH-2.0-x\"}\n",
		.signals = "ssh.banner: x\n",
	},
	{0},
};
