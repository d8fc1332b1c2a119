/*
 * The letter to who complains, in English or Japanese: who we are, every connection with its time,
 * packets and bytes, why each look was taken, what the address had done before, how to make it stop.
 */
#include "cli/audit/audit.h"
#include <stdio.h>
#include <string.h>

struct letter {
	const struct audit *audit;
	enum audit_language language;
};

static const char *say(const struct letter *l, const char *english, const char *japanese)
{
	return l->language == AUDIT_JAPANESE ? japanese : english;
}


static void print_head(const struct letter *l)
{
	const struct promises *p = &l->audit->promises;
	printf("%s: %s\n", say(l, "Subject", "件名"), say(l, "Packets that we sent to your address", "貴アドレスへの送信パケットについて"));
	printf("%s: %s <%s>\n", say(l, "From", "差出人"), p->name && *p->name ? p->name : say(l, "the operator", "運用者"),
	       p->contact && *p->contact ? p->contact : "-");
	printf("%s: %s\n\n", say(l, "Concerning", "対象"), l->audit->target);
	printf("%s\n", say(l,
			   "We run sensors that look like ordinary devices and record attacks on them. A host that attacked\n"
			   "one is looked at once a day at most: a few connections, of the kind that any client makes, to learn\n"
			   "what kind of device it is. No password is tried, nobody logs in, nothing is changed.",
			   "当方は、一般の機器に見えるセンサーを運用し、それに対する攻撃を記録しています。センサーを攻撃した\n"
			   "ホストについては、機器の種類を知るため、通常のクライアントと同じ接続を一日一回まで行います。\n"
			   "パスワードの入力、ログイン、設定の変更は一切行いません。"));
	if (p->page && *p->page)
		printf("%s: %s\n", say(l, "More", "詳細"), p->page);
}

static void print_sum(const struct letter *l)
{
	const struct audit *a = l->audit;
	printf(say(l, "\nThese are all packets that we sent in looks: %llu looks, %llu connections, %llu packets, %llu bytes of questions.\n",
		   "\n観測で送信したパケットのすべてです: 観測 %llu 回、接続 %llu 回、パケット %llu 個、要求 %llu バイト。\n"),
	       (unsigned long long)a->looks, (unsigned long long)a->connections, (unsigned long long)a->packets,
	       (unsigned long long)a->bytes);
	if (a->survey_packets)
		printf(say(l, "Besides, surveys sent at most %llu packets; they are listed below.\n",
			   "このほか、調査のパケットが最大 %llu 個あります(下記)。\n"), (unsigned long long)a->survey_packets);
	if (a->unknown)
		printf(say(l, "Of %llu connections the packets were not counted, as our program ended before they did.\n",
			   "うち %llu 回の接続は、当方のプログラムが先に終了したため、パケット数が不明です。\n"),
		       (unsigned long long)a->unknown);
}

static const char *basis_words(const struct letter *l, const char *basis)
{
	static const char *const words[][3] = {
		{"handshake", "it had completed a TCP connection to one of our sensors", "当方のセンサーと TCP 接続を確立したため"},
		{"cookie", "it had answered our sensor's SYN cookie", "当方のセンサーの SYN クッキーに応答したため"},
		{"survey", "it is part of a survey that the operator approved", "運用者が承認した調査の対象であるため"},
		{"sample", "it is named by malware that we captured", "捕獲した検体に含まれるアドレスであるため"},
		{"record", "it is named by a partner's report", "提携先の報告に含まれるアドレスであるため"},
		{"operator", "our operator asked for it by hand", "運用者が手動で指定したため"},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(basis, words[i][0]))
			return say(l, words[i][1], words[i][2]);
	return basis;
}

static void print_place(const struct letter *l, const json_t *event)
{
	const char *service = audit_text(event, "service"), *sensor = audit_text(event, "dst");
	if (*service)
		printf(" (%s)", service);
	printf(" %s %s", say(l, "at", "対象:"),
	       l->audit->full && *sensor ? sensor : say(l, "one of our sensors", "当方のセンサー"));
}

static void print_why(const struct letter *l, const json_t *decision)
{
	const json_t *cause = audit_find(l->audit->causes, "id", audit_text(decision, "cause"));
	printf("   %s: %s", say(l, "why", "理由"), basis_words(l, audit_text(decision, "basis")));
	if (*audit_text(decision, "rule"))
		printf(say(l, " (rule \"%s\")", "(規則「%s」)"), audit_text(decision, "rule"));
	/* Who approved a study, for what, stands in the decision itself. */
	if (!strcmp(audit_text(decision, "basis"), "survey") && *audit_text(decision, "detail"))
		printf(" (%s)", audit_text(decision, "detail"));
	printf("\n");
	if (cause) {
		printf("   %s: %s %s", say(l, "what led to it", "きっかけ"), audit_text(cause, "time"), audit_text(cause, "kind"));
		print_place(l, cause);
		printf("\n");
	}
}

static void print_connection(const struct letter *l, const json_t *probe)
{
	const json_t *answer = audit_find(l->audit->answers, "cause", audit_text(probe, "id"));
	printf("   %s  %s -> %s %s/%s  ", audit_text(probe, "time"), *audit_text(probe, "dst") ? audit_text(probe, "dst") : "",
	       audit_text(probe, "src"), audit_text(probe, "sport"), audit_text(probe, "proto"));
	if (answer)
		printf(say(l, "%s: %llu packets, %llu bytes asked, answer %s\n", "%s: %llu パケット、要求 %llu バイト、応答 %s\n"),
		       audit_text(probe, "probe"), (unsigned long long)audit_number(answer, "packets"),
		       (unsigned long long)audit_number(answer, "bytes_out"), audit_text(answer, "state"));
	else
		printf("%s: %s\n", audit_text(probe, "probe"), say(l, "packets not counted", "パケット数不明"));
}

static void print_looks(const struct letter *l)
{
	const json_t *decision, *probe;
	size_t i, k, number = 0;
	json_array_foreach(l->audit->decisions, i, decision) {
		const char *lease = audit_text(decision, "id");
		if (strcmp(audit_text(decision, "decision"), "allowed") || !audit_find(l->audit->probes, "lease", lease))
			continue;
		printf(say(l, "\n%zu. Look decided on %s UTC, tier %s\n", "\n%zu. 観測の決定 %s UTC(段階 %s)\n"), ++number,
		       audit_text(decision, "time"), audit_text(decision, "tier"));
		print_why(l, decision);
		json_array_foreach(l->audit->probes, k, probe)
			if (!strcmp(audit_text(probe, "lease"), lease))
				print_connection(l, probe);
	}
}

/* Those whose decision is older than what was asked for, or no longer kept. */
static void print_strays(const struct letter *l)
{
	const json_t *probe;
	size_t i;
	bool headed = false;
	json_array_foreach(l->audit->probes, i, probe) {
		if (audit_find(l->audit->decisions, "id", audit_text(probe, "lease")))
			continue;
		if (!headed)
			printf("\n%s\n", say(l, "Connections whose decision lies before the time asked for:",
					     "指定期間より前に決定された接続:"));
		headed = true;
		print_connection(l, probe);
	}
}

/*
 * A survey's packets are few, and no connection follows from them: a line each.  Nobody counted them one by
 * one: the scan's record says how far its order was, so this is what may have left, and not less.
 */
static void print_surveys(const struct letter *l)
{
	const json_t *row;
	size_t i;
	if (json_array_size(l->audit->surveys) == 0)
		return;
	printf(say(l, "\nPackets of surveys that were approved beforehand, a single one each, %llu at most:\n",
		   "\n事前に承認された調査のパケット(各一個、最大 %llu 個):\n"), (unsigned long long)l->audit->survey_packets);
	json_array_foreach(l->audit->surveys, i, row) {
		const char *last = audit_text(row, "last");
		printf("   %s %s %s  %s %s/%s  (%s \"%s\"%s)\n", audit_text(row, "first"), say(l, "to", "〜"),
		       *last ? last : say(l, "not known", "不明"), audit_text(row, "target"), audit_text(row, "port"),
		       audit_text(row, "protocol"), say(l, "survey", "調査"), audit_text(row, "survey"),
		       !json_is_true(json_object_get(row, "certain")) ? say(l, ", perhaps not sent", "、未送信の可能性あり")
		       : json_is_true(json_object_get(row, "again")) ? say(l, ", only if it had not answered", "、無応答の場合のみ") : "");
	}
	if (json_array_size(l->audit->surveys) < l->audit->survey_packets)
		printf("   %s\n", say(l, "The rest is too long for one letter: ask for a smaller network.",
				     "残りは件数が多いため省略しました(範囲を狭めてください)。"));
}

static void print_before(const struct letter *l)
{
	const json_t *row;
	size_t i;
	printf("\n%s\n", say(l, "What we recorded from that address in the same time:", "同期間に当該アドレスから記録した内容:"));
	json_array_foreach(l->audit->before, i, row) {
		printf("   %s %s %s  %s", audit_text(row, "first"), say(l, "to", "〜"), audit_text(row, "last"), audit_text(row, "kind"));
		if (*audit_text(row, "service"))
			printf(" (%s)", audit_text(row, "service"));
		printf(say(l, ": %s times\n", ": %s 回\n"), audit_text(row, "count"));
	}
	if (json_array_size(l->audit->before) == 0)
		printf("   %s\n", say(l, "nothing", "なし"));
	printf("%s\n", say(l, "Answers of our sensors within connections that came from there are not ours to count: they asked for them.",
			   "貴アドレスからの接続に対するセンサーの応答は含みません。"));
}

static void print_end(const struct letter *l)
{
	printf("\n%s\n", say(l, "To be left alone, from now on and for ever:", "今後対象外とするには:"));
	if (l->audit->page_url)
		printf(say(l, "   open %s/ from that address and press the button, or\n", "   当該アドレスから %s/ を開き、ボタンを押す\n"),
		       l->audit->page_url);
	printf("   %s\n", say(l, "answer this letter; a whole network can be left out as well.", "この文書に返信する(ネットワーク全体も可)"));
}

void audit_write_letter(const struct audit *a, enum audit_language language)
{
	const struct letter l = {a, language};
	print_head(&l);
	print_sum(&l);
	print_looks(&l);
	print_strays(&l);
	print_surveys(&l);
	print_before(&l);
	print_end(&l);
}
