/* A harmless program for Windows that does what a simple bot does: leaves a file, starts with Windows, calls home. */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>

int main(void)
{
	static const char dropped[] = "MZ left by a sample", path[] = "C:\\windows\\temp\\dropped.bin";
	struct sockaddr_in home = {.sin_family = AF_INET, .sin_port = htons(4444)};
	WSADATA data;
	DWORD n = 0;
	HKEY run;
	char answer[1];
	HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	WriteFile(file, dropped, sizeof dropped - 1, &n, NULL);
	CloseHandle(file);
	if (!RegCreateKeyA(HKEY_CURRENT_USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Run", &run))
		RegSetValueExA(run, "updater", 0, REG_SZ, (const BYTE *)path, sizeof path);
	WSAStartup(0x202, &data);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	home.sin_addr.s_addr = inet_addr("203.0.113.99");
	if (!connect(s, (struct sockaddr *)&home, sizeof home)) {
		send(s, "HELLO a Windows bot\n", 20, 0);
		recv(s, answer, sizeof answer, 0);
	}
	printf("wrote %lu\n", (unsigned long)n);
	return 3;
}
