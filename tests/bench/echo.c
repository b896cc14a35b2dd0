/* The floor of `make bench-dns`: what the kernel alone takes for a query. Sends every datagram back as a response.
 *
 * Waits with epoll and moves up to 64 datagrams a call, as netprov/runtime/mmsg.py does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { SLOTS = 64, SLOT = 4096 };

static char memory[SLOTS][SLOT];
static struct sockaddr_in sources[SLOTS];
static struct iovec pieces[SLOTS];
static struct mmsghdr messages[SLOTS];

static void answer(int sock) {
    for (;;) {
        for (int i = 0; i < SLOTS; i++) {
            pieces[i] = (struct iovec){memory[i], SLOT};
            messages[i].msg_hdr = (struct msghdr){&sources[i], sizeof sources[i], &pieces[i], 1, NULL, 0, 0};
        }
        int count = recvmmsg(sock, messages, SLOTS, MSG_DONTWAIT, NULL);
        if (count <= 0) return;
        for (int i = 0; i < count; i++) {
            memory[i][2] |= 0x80;
            pieces[i].iov_len = messages[i].msg_len;
        }
        sendmmsg(sock, messages, count, MSG_DONTWAIT);
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(53)};
    if (argc != 2 || inet_pton(AF_INET, argv[1], &here.sin_addr) != 1) return 2;
    int sock = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(sock, (struct sockaddr *)&here, sizeof here)) {
        perror("bind");
        return 1;
    }
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(poll, EPOLL_CTL_ADD, sock, &event);
    while (epoll_wait(poll, &event, 1, -1) >= 0 || errno == EINTR) answer(sock);
    return 1;
}
