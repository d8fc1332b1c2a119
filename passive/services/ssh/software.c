/* The table of servers, and the names that options have for them. */
#include "passive/services/ssh/software.h"

#define ECDH "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
#define CURVE "curve25519-sha256,curve25519-sha256@libssh.org,"
#define GROUPS                                                                                     \
	"diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"                      \
	"diffie-hellman-group18-sha512,diffie-hellman-group14-sha256"
#define AES_CTR "aes128-ctr,aes192-ctr,aes256-ctr"
#define OPENSSH_CIPHERS                                                                            \
	"chacha20-poly1305@openssh.com," AES_CTR ",aes128-gcm@openssh.com,aes256-gcm@openssh.com"
#define OPENSSH_MACS                                                                               \
	"umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"          \
	"hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,"             \
	"umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1"
#define STRICT ",kex-strict-s-v00@openssh.com"
#define GUESS ",kexguess2@matt.ucc.asn.au"
#define DROPBEAR_CURVES                                                                            \
	CURVE "ecdh-sha2-nistp521,ecdh-sha2-nistp384,ecdh-sha2-nistp256,"                          \
	      "diffie-hellman-group14-sha256,diffie-hellman-group14-sha1"
#define DROPBEAR_SIGNATURES                                                                        \
	"ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"          \
	"ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-256,ssh-rsa,ssh-dss"
#define OPENSSH_LIMITS                                                                             \
	.methods = "publickey,password", .refusal_ms_min = 1800, .refusal_ms_max = 2600,           \
	.tries_max = 6, .window = 0, .window_more = 2097152, .packet_max = 32768
#define DROPBEAR_LIMITS                                                                            \
	.methods = "publickey,password", .refusal_ms_min = 250, .refusal_ms_max = 350,             \
	.tries_max = 10, .window = 24576, .window_more = 0

const struct ssh_software ssh_softwares[] = {
        /* Debian 12 with its security updates. */
        {.name = "openssh-9.2",
         .banner = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10",
         .family = SSH_OPENSSH,
         .kex = "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com," CURVE ECDH GROUPS STRICT,
         .host_keys = "rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ssh-ed25519",
         .ciphers = OPENSSH_CIPHERS,
         .macs = OPENSSH_MACS,
         .compressions = "none,zlib@openssh.com",
         .signatures = "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,"
                       "ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
                       "sk-ecdsa-sha2-nistp256@openssh.com,"
                       "webauthn-sk-ecdsa-sha2-nistp256@openssh.com,ssh-dss,ssh-rsa,"
                       "rsa-sha2-256,rsa-sha2-512",
         .hostbound = true,
         .announces_keys = true,
         .rsa_bits = 3072,
         OPENSSH_LIMITS},
        /* Debian 11 with its security updates. */
        {.name = "openssh-8.4",
         .banner = "SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3",
         .family = SSH_OPENSSH,
         .kex = CURVE ECDH GROUPS STRICT,
         .host_keys = "rsa-sha2-512,rsa-sha2-256,ssh-rsa,ecdsa-sha2-nistp256,ssh-ed25519",
         .ciphers = OPENSSH_CIPHERS,
         .macs = OPENSSH_MACS,
         .compressions = "none,zlib@openssh.com",
         .signatures = "ssh-ed25519,sk-ssh-ed25519@openssh.com,ssh-rsa,rsa-sha2-256,"
                       "rsa-sha2-512,ssh-dss,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
                       "ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com",
         .announces_keys = true,
         .rsa_bits = 3072,
         OPENSSH_LIMITS},
        /* Debian 9. */
        {.name = "openssh-7.4",
         .banner = "SSH-2.0-OpenSSH_7.4p1 Debian-10+deb9u7",
         .family = SSH_OPENSSH_OLD,
         .kex = CURVE ECDH GROUPS ",diffie-hellman-group14-sha1",
         .host_keys = "ssh-rsa,rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ssh-ed25519",
         .ciphers = OPENSSH_CIPHERS,
         .macs = OPENSSH_MACS,
         .compressions = "none,zlib@openssh.com",
         .signatures = "rsa-sha2-256,rsa-sha2-512",
         .announces_keys = true,
         .rsa_bits = 2048,
         OPENSSH_LIMITS},
        /* Debian 12 with its security updates. */
        {.name = "dropbear-2022.83",
         .banner = "SSH-2.0-dropbear_2022.83",
         .family = SSH_DROPBEAR,
         .kex = DROPBEAR_CURVES GUESS STRICT,
         .host_keys = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-256,ssh-rsa",
         .ciphers = "chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr",
         .macs = "hmac-sha1,hmac-sha2-256",
         .compressions = "zlib@openssh.com,none",
         .signatures = DROPBEAR_SIGNATURES,
         .rsa_bits = 2048,
         .packet_max = 32759,
         DROPBEAR_LIMITS},
        /* Routers and NAS of those years. */
        {.name = "dropbear-2020.81",
         .banner = "SSH-2.0-dropbear_2020.81",
         .family = SSH_DROPBEAR,
         .kex = DROPBEAR_CURVES GUESS,
         .host_keys = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-256,ssh-rsa",
         .ciphers = "chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr",
         .macs = "hmac-sha1,hmac-sha2-256",
         .compressions = "zlib@openssh.com,none",
         .signatures = DROPBEAR_SIGNATURES,
         .rsa_bits = 2048,
         .packet_max = 32759,
         DROPBEAR_LIMITS},
        /* Devices with a small build: without DSS, Twofish and counter mode. */
        {.name = "dropbear-2012.55",
         .banner = "SSH-2.0-dropbear_2012.55",
         .family = SSH_DROPBEAR,
         .kex = "diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
         .host_keys = "ssh-rsa",
         .ciphers = "aes128-ctr,aes256-ctr,aes128-cbc,3des-cbc,aes256-cbc",
         .macs = "hmac-sha1-96,hmac-sha1,hmac-md5",
         .compressions = "none",
         .rsa_bits = 1024,
         .packet_max = 32759,
         DROPBEAR_LIMITS},
};

const char *const ssh_software_names[] = {"openssh-9.2",      "openssh-8.4",
                                          "openssh-7.4",      "dropbear-2022.83",
                                          "dropbear-2020.81", "dropbear-2012.55", NULL};
