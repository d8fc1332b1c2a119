#!/usr/bin/python3
"""Checks log-ins as password crackers would: ntlm_proof.py PASSWORD <lines of user::domain:...

Each line is NetNTLMv2 (hashcat 5600) or NetNTLMv1 (5500); impacket computes what the password
would have given.  Prints how many lines it fits, and ends with 1 when a line is malformed.
"""
import binascii
import sys

from impacket import ntlm


def fits(line, password):
    user, empty, domain, first, second, third = line.split(":")
    assert empty == "" and user
    nt_hash = ntlm.compute_nthash(password)
    if len(first) == 16:  # the challenge, then proof and what was hashed with it
        key = ntlm.NTOWFv2(user, password, domain, nt_hash)
        return ntlm.hmac_md5(key, binascii.unhexlify(first) + binascii.unhexlify(third)) == binascii.unhexlify(second)
    lm, answer, challenge = (binascii.unhexlify(part) for part in (first, second, third))
    if lm[8:] == bytes(16):  # NTLM2 session: the client's nonce goes in
        import hashlib
        challenge = hashlib.md5(challenge + lm[:8]).digest()[:8]
    return ntlm.ntlmssp_DES_encrypt(nt_hash, challenge) == answer


lines = [line.strip() for line in sys.stdin if line.strip()]
try:
    print(sum(fits(line, sys.argv[1]) for line in lines), "of", len(lines))
except Exception as wrong:  # whatever is wrong with a line, crackers would not read it either
    print("malformed:", wrong)
    sys.exit(1)
