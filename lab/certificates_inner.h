/*
 * Certificates with which a program or a package was signed: who claims to have made it, and a key by
 * which more of the same maker are found.  Nothing is verified: a stolen or home-made certificate says as much.
 */
#pragma once
#include "lab/analyser.h"

#define CERTIFICATES_MAX 8

/* All certificates of a PKCS #7 SignedData in DER (RFC 2315 9); how many there were. */
size_t certificates_of_pkcs7(struct analysis *, struct bytes der);
/* One certificate in DER (RFC 5280). */
bool certificate_look(struct analysis *, struct bytes der);
