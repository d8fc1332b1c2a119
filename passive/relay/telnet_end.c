#include "passive/relay/telnet_end.h"

enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };
enum { OPTION_ECHO = 1, OPTION_NO_GO_AHEAD = 3 };
enum reading { READ_TEXT, READ_COMMAND, READ_OPTION, READ_SUB, READ_SUB_IAC };

static void answer(struct telnet_end *t, uint8_t option, struct writer *answers)
{
	bool offers = t->command == WILL;
	if (!answers || (t->command != WILL && t->command != DO))
		return;
	uint8_t *seen = &t->answered[!offers][option / 8], bit = (uint8_t)(1u << option % 8);
	if (*seen & bit)
		return;
	*seen |= bit;
	bool wanted = offers && (option == OPTION_ECHO || option == OPTION_NO_GO_AHEAD);
	write_u8(answers, IAC);
	write_u8(answers, offers ? (wanted ? DO : DONT) : WONT);
	write_u8(answers, option);
}

static void take_byte(struct telnet_end *t, uint8_t c, struct writer *text, struct writer *answers)
{
	switch (t->reading) {
	case READ_COMMAND:
		t->command = c;
		t->reading = c == SB ? READ_SUB : c >= WILL && c <= DONT ? READ_OPTION : READ_TEXT;
		if (c == IAC)
			write_u8(text, IAC);
		return;
	case READ_OPTION:
		t->reading = READ_TEXT;
		answer(t, c, answers);
		return;
	case READ_SUB:
		t->reading = c == IAC ? READ_SUB_IAC : READ_SUB;
		return;
	case READ_SUB_IAC:
		t->reading = c == SE ? READ_TEXT : READ_SUB;
		return;
	}
	if (c == IAC)
		t->reading = READ_COMMAND;
	else
		write_u8(text, c);
}

void telnet_end_take(struct telnet_end *t, struct bytes came, struct writer *text, struct writer *answers)
{
	for (size_t i = 0; i < came.len; i++)
		take_byte(t, came.at[i], text, answers);
}

void telnet_write_text(struct bytes text, struct writer *w)
{
	for (size_t i = 0; i < text.len; i++) {
		write_u8(w, text.at[i]);
		if (text.at[i] == IAC)
			write_u8(w, IAC);
	}
}
