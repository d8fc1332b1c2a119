/* Six secrets, each a chain of hashes behind its letter. */
#include "passive/services/ssh/kex_keys.h"

#define HASH_MAX 64

static bool derive_one(EVP_MD_CTX *c, const EVP_MD *digest, struct bytes shared, struct bytes hash,
                       struct bytes id, char letter, uint8_t out[SSH_SECRET_MAX])
{
	for (size_t made = 0; made < SSH_SECRET_MAX;) {
		uint8_t block[HASH_MAX];
		bool ok = EVP_DigestInit_ex2(c, digest, NULL) && EVP_DigestUpdate(c, shared.at, shared.len) &&
		          EVP_DigestUpdate(c, hash.at, hash.len);
		if (made)
			ok = ok && EVP_DigestUpdate(c, out, made);
		else
			ok = ok && EVP_DigestUpdate(c, &letter, 1) && EVP_DigestUpdate(c, id.at, id.len);
		if (!ok || !EVP_DigestFinal_ex(c, block, NULL))
			return false;
		size_t take = hash.len < SSH_SECRET_MAX - made ? hash.len : SSH_SECRET_MAX - made;
		memcpy(out + made, block, take);
		made += take;
	}
	return true;
}

bool ssh_derive(const struct ssh_exchange *x, struct bytes shared, struct bytes hash, struct bytes id,
                bool from_server, struct ssh_secrets *out)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_MD *digest = EVP_MD_fetch(NULL, x->digest, NULL);
	bool ok = c && digest && derive_one(c, digest, shared, hash, id, from_server ? 'B' : 'A', out->iv) &&
	          derive_one(c, digest, shared, hash, id, from_server ? 'D' : 'C', out->key) &&
	          derive_one(c, digest, shared, hash, id, from_server ? 'F' : 'E', out->mac);
	EVP_MD_free(digest);
	EVP_MD_CTX_free(c);
	return ok;
}
