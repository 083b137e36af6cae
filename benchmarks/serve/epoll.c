// SPDX-License-Identifier: BSL-1.0
// The limit: an epoll loop that reads, does not parse, and writes constant bytes. Usage: serve_epoll PORT FILE
// For pipelining it counts the empty lines that end requests, and writes that many answers at once.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int main(int count, char** words) {
    if (count < 3) return 1;
    static char answers[64 * 4096], in[16384];
    int const file = open(words[2], O_RDONLY);
    ssize_t const size = read(file, answers, 4096);
    if (size <= 0) return 1;
    for (int i = 1; i < 64; ++i) memcpy(answers + i * size, answers, (size_t)size);

    int const listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 4096) != 0) return 1;
    int const loop = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int const ready = epoll_wait(loop, events, 256, -1);
        for (int i = 0; i < ready; ++i) {
            int const from = events[i].data.fd;
            if (from == listener) {
                int const client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0) continue;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.data.fd = client;
                epoll_ctl(loop, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            ssize_t const got = read(from, in, sizeof in);
            int requests = 1;
            if (got > 512) {
                requests = 0;
                for (char* at = in; (at = memmem(at, (size_t)(in + got - at), "\r\n\r\n", 4)) != NULL; at += 4) ++requests;
            }
            if (requests > 64) requests = 64;
            if (got <= 0 || write(from, answers, (size_t)(requests * size)) < 0) close(from);
        }
    }
}
