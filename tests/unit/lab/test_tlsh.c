/* Distances as the tool of TLSH's authors tells them of the same digests. */
#include "lab/tlsh.h"
#include "tests/test.h"

static const char bash[] = "T1BB457C0BB6A214FDC1E6C470827B92726870B4A591317DBB349CE5302F56F642B2EFE1";
static const char busybox[] = "T15B957D07B6E260FCC497C13087ABD653AD71B4A91131BE7F76C88A313E16E60571EB62";
static const char dash[] = "14C33A0572E248FDC1A6C930869785B2AF707C2153227B7F3944BB792F56F205F1EA61";

TEST(tlsh_distances_are_those_of_the_reference)
{
	CHECK(tlsh_distance(bash, bash) == 0);
	CHECK(tlsh_distance(bash, busybox) == 121 && tlsh_distance(busybox, bash) == 121);
	CHECK(tlsh_distance(bash, dash) == 408);
	CHECK(tlsh_distance(bash, "T1BB457C") < 0 && tlsh_distance("", bash) < 0);
}

TEST(tlsh_needs_length_and_variety)
{
	char text[TLSH_TEXT_MAX];
	static uint8_t zeros[4096];
	CHECK(!tlsh_write(BYTES("short"), text) && !text[0]);
	CHECK(!tlsh_write((struct bytes){zeros, sizeof zeros}, text) && !text[0]);
}
