/*
 * The page's words, in English and Japanese.  Plain ones: its reader has found us in a log, is perhaps
 * worried, and wants to know who, why, what was sent, and how to make it stop.
 */
#include "web/page/page_inner.h"

static const char style[] =
	"body{font:17px/1.6 system-ui,sans-serif;max-width:44em;margin:2em auto;padding:0 1em;color:#222}"
	"h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.6em}.box{background:#eef4ee;padding:1em;border-radius:6px}"
	"input{font:inherit;padding:.3em;width:100%;box-sizing:border-box}button{font:inherit;padding:.5em 1em;margin-top:.6em}"
	"label{display:block;margin-top:.6em}footer{margin-top:2em;color:#666;font-size:.9em}";

/* What comes from outside or from the configuration, as text of an HTML page or an attribute. */
static void write_escaped(struct writer *w, const char *text)
{
	for (const char *c = text ? text : ""; *c; c++) {
		const char *as = *c == '&' ? "&amp;" : *c == '<' ? "&lt;" : *c == '>' ? "&gt;"
			       : *c == '"' ? "&quot;" : *c == '\'' ? "&#39;" : NULL;
		if (as)
			write_text(w, as);
		else
			write_u8(w, (uint8_t)*c);
	}
}

static const char *say(const struct page_view *v, const char *english, const char *japanese)
{
	return v->language == PAGE_JAPANESE ? japanese : english;
}

static const char *who(const struct page_view *v)
{
	const char *name = v->promises->name;
	return name && *name ? name : say(v, "The operator of this system", "このシステムの運用者");
}

static void write_contact(struct writer *w, const char *contact)
{
	bool uri = strstr(contact, "://") || !strncmp(contact, "mailto:", 7) || !strncmp(contact, "tel:", 4);
	write_text(w, uri ? "<a href=\"" : "<a href=\"mailto:");
	write_escaped(w, contact);
	write_text(w, "\">");
	write_escaped(w, contact);
	write_text(w, "</a>");
}

static void write_about(struct writer *w, const struct page_view *v)
{
	const struct promises *p = v->promises;
	write_fmt(w, "<h2>%s</h2><p>", say(v, "Who we are", "私たちについて"));
	write_escaped(w, who(v));
	write_text(w, say(v, " runs sensors that look like ordinary devices and record attacks on them. Contact: ",
			  " は、一般の機器に見えるセンサーを運用し、それに対する攻撃を記録しています。連絡先: "));
	write_contact(w, p->contact ? p->contact : "");
	if (p->page && *p->page) {
		write_text(w, say(v, ". More: ", "。詳細: "));
		write_contact(w, p->page);
	}
	write_text(w, say(v, ".</p>", "</p>"));
	write_fmt(w, "<h2>%s</h2><p>%s</p>", say(v, "Why your address heard from us", "なぜ接続があったか"),
		  say(v,
		      "Most often because a device behind your address connected to one of our sensors and attacked it. "
		      "Such devices are usually infected without their owner's knowledge. We look at what kind of device "
		      "it is, so that infections can be understood and reported to those who can help.",
		      "多くの場合、あなたのアドレスの背後にある機器が当方のセンサーに接続し、攻撃したためです。そのような機器は、"
		      "所有者が知らないうちに感染していることがほとんどです。感染の実態を把握し、対処できる人に伝えるため、"
		      "どのような機器かを確認しています。"));
}

static void write_what(struct writer *w, const struct page_view *v)
{
	const struct promises *p = v->promises;
	write_fmt(w, "<h2>%s</h2><ul>", say(v, "What we send", "何を送るか"));
	write_fmt(w, say(v, "<li>Connections to at most %llu ports, one after the other, never two at once.</li>",
			 "<li>最大 %llu ポートへの接続を一つずつ順に行います。同時に複数の接続は行いません。</li>"),
		  (unsigned long long)p->ports_max);
	write_fmt(w, say(v, "<li>At most %llu packets, and one such look in %llu hours.</li>",
			 "<li>最大 %llu パケット、%llu 時間に一回までです。</li>"),
		  (unsigned long long)p->packets_max, (unsigned long long)(p->round_ms / 3600000));
	write_fmt(w, "<li>%s</li><li>%s</li></ul>",
		  say(v, "Only what any client sends first: a request for a web page, a greeting, nothing at all.",
		      "どのクライアントも最初に送るもの(ウェブページの要求、挨拶)だけ、または何も送りません。"),
		  say(v, "Never a password, never a log-in, never a change, never an exploit.",
		      "パスワードの入力、ログイン、設定の変更、脆弱性の利用は決して行いません。"));
	write_fmt(w, "<h2>%s</h2><p>", say(v, "How to check", "確認方法"));
	write_text(w, say(v, "Our packets come from the address that serves this page. Web requests name it in their "
			    "User-Agent. <a href=\"/.well-known/probing.txt\">/.well-known/probing.txt</a> (RFC 9511) "
			    "says the same for programs. If you tell us your address and the time, we send you a list of every "
			    "packet and why it was sent.</p>",
			 "パケットは、このページを提供しているアドレスから送られます。ウェブ要求の User-Agent にも記載しています。"
			 "<a href=\"/.well-known/probing.txt\">/.well-known/probing.txt</a> (RFC 9511) にも同じ内容があります。"
			 "アドレスと時刻をお知らせいただければ、送ったすべてのパケットとその理由をお送りします。</p>"));
}

static void write_form(struct writer *w, const struct page_view *v)
{
	write_fmt(w, "<h2>%s</h2><div class=\"box\"><form method=\"post\" action=\"/opt-out%s\"><p>%s <b>",
		  say(v, "Make it stop", "停止するには"), say(v, "", "?lang=ja"),
		  say(v, "You come from", "あなたのアドレス:"));
	write_escaped(w, v->visitor);
	write_fmt(w, "</b>%s</p><label>%s<input name=\"reason\" maxlength=\"200\"></label><label>%s<input name=\"network\" "
		     "maxlength=\"48\" placeholder=\"192.0.2.0/24\"></label><button>%s</button></form></div>",
		  say(v, ". One click, and this address is never looked at again, from this second on.",
		      "。ボタンを押すと、このアドレスは直ちに、今後ずっと対象外になります。"),
		  say(v, "Reason, if you like", "理由(任意)"),
		  say(v, "A whole network of yours, if you like: we ask back before it takes effect",
		      "ネットワーク全体(任意): 確認のうえ反映します"),
		  say(v, "Never look at me again", "今後対象外にする"));
}

static void write_hidden(struct writer *w, const char *name, const char *value)
{
	write_fmt(w, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	write_escaped(w, value);
	write_text(w, "\">");
}

static void write_confirmation(struct writer *w, const struct page_view *v)
{
	write_fmt(w, "<div class=\"box\"><form method=\"post\" action=\"/opt-out/confirm%s\"><p>%s <b>",
		  say(v, "", "?lang=ja"), say(v, "This link leaves out", "このリンクで対象外になる範囲:"));
	write_escaped(w, v->prefix);
	write_fmt(w, "</b>%s</p>", say(v, " for ever.", "(無期限)"));
	write_hidden(w, "prefix", v->prefix);
	write_hidden(w, "until", v->until);
	write_hidden(w, "sign", v->sign);
	write_fmt(w, "<button>%s</button></form></div>", say(v, "Confirm", "確定する"));
}

static void write_result(struct writer *w, const struct page_view *v)
{
	write_text(w, "<div class=\"box\"><p>");
	if (v->kind == PAGE_FAILED) {
		write_text(w, say(v, "That did not work: ", "できませんでした: "));
		write_escaped(w, v->sentence);
		write_text(w, say(v, ". You can always write to ", "。こちらにご連絡ください: "));
		write_contact(w, v->promises->contact ? v->promises->contact : "");
	} else {
		write_text(w, "<b>");
		write_escaped(w, v->prefix ? v->prefix : v->visitor);
		write_text(w, v->kind == PAGE_ALREADY ? say(v, "</b> was left out already and stays so.", "</b> は既に対象外です。")
						      : say(v, "</b> will not be looked at again.", "</b> は今後対象外です。"));
		if (v->kind == PAGE_WAITING)
			write_text(w, say(v, " The network that you named was noted; we ask back before it takes effect.",
					  " ご指定のネットワークは記録しました。確認のうえ反映します。"));
	}
	write_text(w, "</p></div>");
}

void page_write(struct writer *w, const struct page_view *v)
{
	write_fmt(w, "<!doctype html><html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
		     "content=\"width=device-width\"><title>%s</title><style>%s</style><h1>%s</h1>",
		  say(v, "en", "ja"), say(v, "Why did this address contact me?", "このアドレスからの接続について"), style,
		  say(v, "Why did this address contact me?", "このアドレスからの接続について"));
	if (v->kind == PAGE_CONFIRM)
		write_confirmation(w, v);
	else if (v->kind != PAGE_FRONT)
		write_result(w, v);
	write_about(w, v);
	write_what(w, v);
	if (v->kind == PAGE_FRONT)
		write_form(w, v);
	write_fmt(w, "<footer><a href=\"/?lang=en\">English</a> · <a href=\"/?lang=ja\">日本語</a></footer></html>\n");
}
