/* Sends the Ethernet frames of a file, again and again, at a rate: flood INTERFACE FILE FRAMES_PER_SECOND SECONDS
 *
 * In the file each frame has its length before it, two octets in network order. Says how many frames left.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int count, char **words)
{
	static unsigned char octets[64 << 20];
	static struct iovec frames[1 << 20];
	static struct mmsghdr batch[BATCH];
	if (count != 5)
		return 2;
	FILE *file = fopen(words[2], "rb");
	size_t size = file ? fread(octets, 1, sizeof octets, file) : 0, number = 0;
	for (size_t at = 0; at + 2 <= size && number < 1 << 20;) {
		size_t length = octets[at] << 8 | octets[at + 1];
		if (at + 2 + length > size)
			break;
		frames[number++] = (struct iovec){octets + at + 2, length};
		at += 2 + length;
	}
	int sock = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(words[1])};
	if (!number || sock < 0 || bind(sock, (struct sockaddr *)&place, sizeof place) < 0) {
		perror("flood");
		return 1;
	}
	double rate = atof(words[3]), seconds = atof(words[4]), begun = now();
	uint64_t sent = 0, next = 0;
	while (now() - begun < seconds) {
		for (int each = 0; each < BATCH; each++, next++)
			batch[each] = (struct mmsghdr){.msg_hdr = {.msg_iov = &frames[next % number], .msg_iovlen = 1}};
		int done = sendmmsg(sock, batch, BATCH, 0);
		if (done > 0)
			sent += done;
		double ahead = (begun + next / rate) - now();
		if (ahead > 0) {
			struct timespec t = {(time_t)ahead, (long)((ahead - (time_t)ahead) * 1e9)};
			nanosleep(&t, NULL);
		} else if (ahead < -1) {
			next = (uint64_t)((now() - begun) * rate); /* this machine cannot keep up: do not catch up in one burst */
		}
	}
	printf("%llu\n", (unsigned long long)sent);
	return 0;
}
