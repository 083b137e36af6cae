// SPDX-License-Identifier: BSL-1.0
// Clients of a server under attack, from 127.0.0.1.
// Usage: visitor PORT SECONDS         the honest one: a new connection and one request each 250 ms, however long the answers take
//        visitor PORT SECONDS COUNT   the idle one: COUNT connections that ask nothing, each that is closed opened anew (2,000 a second)
// The honest one prints requests, answers, p50, p99 and the longest time, in microseconds, from the connect to the end of the answer.
// Whatever has no answer within 20 seconds counts as 20 seconds.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
constexpr std::string_view request = "GET /healthz/sources HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr auto longest = 20s;

/// A connection under way, or -1.
int connect_to(std::uint16_t port) {
    int const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(descriptor, reinterpret_cast<sockaddr const*>(&address), sizeof address);
    return descriptor;
}

struct visit {
    clock::time_point began;
    bool asked = false;
    bool answered = false;
};

void visit_each_250_ms(std::uint16_t port, clock::time_point end) {
    std::vector<visit> visits;
    std::vector<pollfd> open;
    std::vector<std::size_t> whose;
    std::vector<double> took;
    std::size_t answers = 0;
    auto next = clock::now();
    while (clock::now() < end || (!open.empty() && clock::now() < end + longest)) {
        if (clock::now() >= next && clock::now() < end) {
            open.push_back({connect_to(port), POLLOUT, 0});
            whose.push_back(visits.size());
            visits.push_back({clock::now()});
            next += 250ms;
        }
        auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(next - clock::now()).count();
        ::poll(open.data(), open.size(), static_cast<int>(std::clamp<long>(left, 1, 20)));
        for (std::size_t i = 0; i < open.size();) {
            auto& [began, asked, answered] = visits[whose[i]];
            bool over = false;
            if ((open[i].revents & POLLOUT) != 0 && !asked) {
                asked = ::send(open[i].fd, request.data(), request.size(), MSG_NOSIGNAL) > 0;
                open[i].events = POLLIN;
            } else if ((open[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
                char text[65536];
                auto const got = ::recv(open[i].fd, text, sizeof text, 0);
                if (got > 0) answered = true;
                over = got <= 0;
            }
            if (!over) {
                ++i;
                continue;
            }
            if (answered) {
                ++answers;
                took.push_back(std::chrono::duration<double, std::micro>(clock::now() - began).count());
            }
            ::close(open[i].fd);
            open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
            whose.erase(whose.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    took.resize(visits.size(), std::chrono::duration<double, std::micro>(longest).count());
    std::sort(took.begin(), took.end());
    auto const at = [&took](double share) { return took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))]; };
    std::printf("figures %zu %zu %.0f %.0f %.0f\n", visits.size(), answers, at(0.5), at(0.99), at(1));
}

void keep_idle(std::uint16_t port, clock::time_point end, std::size_t count) {
    std::vector<pollfd> open(count, pollfd{-1, POLLIN, 0});
    while (clock::now() < end) {
        int fresh = 100;
        for (auto& each : open) {
            if (each.fd >= 0 && each.revents != 0) {
                ::close(each.fd);
                each.fd = -1;
            }
            if (each.fd < 0 && --fresh >= 0) each.fd = connect_to(port);
            each.revents = 0;
        }
        ::usleep(50'000);
        ::poll(open.data(), open.size(), 0);
    }
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    auto const port = static_cast<std::uint16_t>(std::atoi(words[1]));
    auto const end = clock::now() + std::chrono::seconds(std::atoi(words[2]));
    if (count > 3) keep_idle(port, end, static_cast<std::size_t>(std::atoi(words[3])));
    else visit_each_250_ms(port, end);
}
