/* Feeds as NVD and CISA publish them, by their public schemas, and an index made of them in a folder of its own. */
#pragma once
#include "analysis/exposures.h"

#define MATCH(vulnerable, criteria, more) \
	"{\"vulnerable\":" vulnerable ",\"criteria\":\"cpe:2.3:" criteria "\"" more \
	",\"matchCriteriaId\":\"8FA7A2A1-0000-4000-8000-000000000000\"}"
#define OR_NODE(matches) "{\"operator\":\"OR\",\"negate\":false,\"cpeMatch\":[" matches "]}"
#define CVE(id, modified, score, configurations) \
	"{\"cve\":{\"id\":\"" id "\",\"sourceIdentifier\":\"cve@mitre.org\",\"published\":\"2020-01-02T03:15:10.133\"," \
	"\"lastModified\":\"" modified "\",\"vulnStatus\":\"Analyzed\",\"cveTags\":[],\"descriptions\":[{\"lang\":\"es\"," \
	"\"value\":\"Un [fallo]\"},{\"lang\":\"en\",\"value\":\"A \\\"flaw\\\" in {braces} of " id "\"}],\"metrics\":{" \
	"\"cvssMetricV31\":[{\"source\":\"nvd@nist.gov\",\"type\":\"Secondary\",\"cvssData\":{\"version\":\"3.1\"," \
	"\"baseScore\":1.0}},{\"source\":\"nvd@nist.gov\",\"type\":\"Primary\",\"cvssData\":{\"version\":\"3.1\",\"vectorString\":" \
	"\"CVSS:3.1/AV:N\",\"baseScore\":" score ",\"baseSeverity\":\"HIGH\"}}]},\"weaknesses\":[],\"configurations\":[" \
	configurations "],\"references\":[]}}"
#define NVD(items) \
	"{\"resultsPerPage\":1,\"startIndex\":0,\"totalResults\":1,\"format\":\"NVD_CVE\",\"version\":\"2.0\"," \
	"\"timestamp\":\"2026-11-20T03:00:00.000\",\"vulnerabilities\":[" items "]}\n"
#define KNOWN(id, added) \
	"{\"cveID\":\"" id "\",\"vendorProject\":\"A\",\"product\":\"B\",\"vulnerabilityName\":\"C\",\"dateAdded\":\"" added \
	"\",\"shortDescription\":\"D\",\"requiredAction\":\"E\",\"dueDate\":\"2022-06-10\",\"knownRansomwareCampaignUse\":" \
	"\"Known\",\"notes\":\"\",\"cwes\":[]}"
#define KEV(items) \
	"{\"title\":\"CISA Catalog of Known Exploited Vulnerabilities\",\"catalogVersion\":\"2026.11.20\",\"dateReleased\":" \
	"\"2026-11-20T15:00:00.0000Z\",\"count\":1,\"vulnerabilities\":[" items "]}\n"

/* A folder in /tmp; its path stays until feeds_end(). */
const char *feeds_begin(void);
void feeds_end(void);
/* Imports these texts in turn; returns the first failure, with its sentence. */
int feeds_import(int kind, const char *text, struct fault *, struct weaknesses_counts *);
int feeds_import_bytes(int kind, struct bytes, struct fault *, struct weaknesses_counts *);
struct weaknesses *feeds_open(void);
