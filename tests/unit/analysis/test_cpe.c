#include "analysis/exposure/cpe_inner.h"
#include "tests/test.h"

static struct cpe parsed(const char *text)
{
	struct cpe c;
	CHECK_SAY(cpe_parse(bytes_of_text(text), &c) == 0, "%s", text);
	return c;
}

TEST(cpe_names_are_read_and_written)
{
	static const struct {
		const char *text, *formatted;
	} cases[] = {
		{"cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*",
		 "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*"},
		{"cpe:2.3:a:foo\\\\bar:big\\$money_2010:*:*:*:*:special:ipod_touch:80gb:*",
		 "cpe:2.3:a:foo\\\\bar:big\\$money_2010:*:*:*:*:special:ipod_touch:80gb:*"},
		{"cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*",
		 "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*"},
		{"cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*", "cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*"},
		{"a:vendor:pro\\:duct", "cpe:2.3:a:vendor:pro\\:duct:*:*:*:*:*:*:*:*"},
		{"cpe:/a:OpenBSD:OpenSSH:7.4p1", "cpe:2.3:a:openbsd:openssh:7.4p1:*:*:*:*:*:*:*"},
		{"cpe:/a:openbsd:openssh:-", "cpe:2.3:a:openbsd:openssh:-:*:*:*:*:*:*:*"},
		{"cpe:/o:microsoft:windows_xp", "cpe:2.3:o:microsoft:windows_xp:*:*:*:*:*:*:*:*"},
		{"cpe:/a:hp:insight_diagnostics:7.4.0.1570:-:~~online~win2003~x64~",
		 "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*"},
		{"cpe:/a:microsoft:internet_explorer:8.%02:sp%01", "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*"},
		{"cpe:/a:foo%5cbar:big%24money", "cpe:2.3:a:foo\\\\bar:big\\$money:*:*:*:*:*:*:*:*"},
	};
	char text[CPE_TEXT_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cpe c = parsed(cases[i].text);
		cpe_format(&c, text);
		CHECK_SAY(!strcmp(text, cases[i].formatted), "%s: %s", cases[i].text, text);
	}
}

TEST(cpe_names_that_are_none)
{
	static const char *const bad[] = {"", "cpe:2.3:", "cpe:2.3:x:vendor:product", "cpe:2.3:a::product", "cpe:/q:a:b",
					  "cpe:2.3:a:b:c:d:e:f:g:h:i:j:k:l", "cpe:/a:b%4", "cpe:/a:b%zz", "cpe:2.3:a:b\n:c",
					  "cpe:/a:b:c:d:e:f:g:h"};
	struct cpe c;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_SAY(cpe_parse(bytes_of_text(bad[i]), &c) == ERR_BAD, "%s", bad[i]);
}

/* The rows of NISTIR 7696 table 6-2, and what its wildcards take in. */
TEST(cpe_names_are_compared_as_the_standard_has_it)
{
	static const struct {
		const char *source, *target;
		enum cpe_relation relation;
	} cases[] = {
		{"a:adobe:*:9.*:*:palmos:*", "a:adobe:reader:9.3.2:-:*:*", CPE_UNDEFINED},
		{"a:adobe:reader:9.*:*:*:*", "a:adobe:reader:9.3.2:-:-:*", CPE_SUPERSET},
		{"a:adobe:reader:9.3.2:*:*", "a:adobe:reader:9.3.2:*:*", CPE_EQUAL},
		{"a:adobe:reader:9.3.2:sp1:*", "a:adobe:reader:9.3.2:*:*", CPE_SUBSET},
		{"a:adobe:reader:9.4:*:*", "a:adobe:reader:9.3.2:*:*", CPE_DISJOINT},
		{"*:*:*", "a:adobe:reader", CPE_SUPERSET},
		{"a:adobe:reader:-", "a:adobe:reader:9.3.2", CPE_DISJOINT},
		{"a:adobe:reader:9.3.2", "a:adobe:reader:-", CPE_DISJOINT},
		{"a:adobe:reader:-", "a:adobe:reader:-", CPE_EQUAL},
		{"a:adobe:reader:-", "a:adobe:reader:*", CPE_SUBSET},
		{"a:adobe:reader:*", "a:adobe:reader:-", CPE_SUPERSET},
		{"a:adobe:reader:9.3.2", "a:adobe:reader:9.*", CPE_UNDEFINED},
		{"a:adobe:reader:9.*", "a:adobe:reader:9.*", CPE_UNDEFINED},
		{"a:Adobe:READER:9.3.2", "a:adobe:reader:9.3.2", CPE_EQUAL},
		{"a:adobe:reader:9.\\*", "a:adobe:reader:9.3.2", CPE_DISJOINT},
		{"a:adobe:reader:9.3.??", "a:adobe:reader:9.3.2", CPE_SUPERSET},
		{"a:adobe:reader:9.3.?", "a:adobe:reader:9.3.22", CPE_DISJOINT},
		{"a:adobe:reader:*.2", "a:adobe:reader:9.3.2", CPE_SUPERSET},
		{"a:adobe:reader:?.3.2", "a:adobe:reader:9.3.2", CPE_SUPERSET},
		{"a:adobe:reader:??.2", "a:adobe:reader:9.3.2", CPE_DISJOINT},
		{"a:adobe:reader:*.3.*", "a:adobe:reader:9.3.2", CPE_SUPERSET},
		{"a:adobe:reader:*:sp1", "a:adobe:reader:9.3.2:*", CPE_UNDEFINED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cpe source = parsed(cases[i].source), target = parsed(cases[i].target);
		CHECK_SAY(cpe_compare(&source, &target) == cases[i].relation, "%s and %s: %d", cases[i].source,
			  cases[i].target, cpe_compare(&source, &target));
	}
}
