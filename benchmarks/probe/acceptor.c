// SPDX-License-Identifier: BSL-1.0
// What tcp checks connect to: it accepts and closes. Usage: probe_acceptor PORT
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char** words) {
    if (count < 2) return 1;
    int const listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1])), .sin_addr = {htonl(INADDR_ANY)}};
    if (bind(listener, (struct sockaddr*)&where, sizeof where) != 0 || listen(listener, 4096) != 0) return 1;
    for (;;) {
        int const client = accept(listener, NULL, NULL);
        if (client >= 0) close(client);
    }
}
