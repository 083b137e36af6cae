// SPDX-License-Identifier: BSL-1.0
// What the endpoint on the wire adds to an image: 0, lwIP with its driver and a listener that says hello; 1, the same that sends every view
// of four sources to who connects; 2, the same that decides who may see it, with a constant request; 3, HTTP. The views are those of a server.
#include "../../examples/firmware/http/lan9118.hpp"

#include <lwip/init.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#if WIRE > 0
#include <healthz.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/views/document.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>
#include <healthz/views/probes.hpp>
#endif
#if WIRE == 3
#include <healthz/lwip/server.hpp>
#endif

#include <array>
#include <cstdint>

namespace {

std::uint32_t volatile& timer = *reinterpret_cast<std::uint32_t volatile*>(0x40000004);
constinit netif ethernet{};

#if WIRE > 0
struct sensor {
    std::uint32_t volatile const* at;
    healthz::outcome probe() const { return *at != 0 ? healthz::ok() : healthz::error("no signal"); }
};
std::uint32_t volatile const* port(std::uintptr_t i) { return reinterpret_cast<std::uint32_t volatile const*>(0x40010000 + 4 * i); }
template <int I>
struct at_port {
    healthz::outcome probe() const { return sensor{port(I)}.probe(); }
};
constexpr healthz::health_check each{.interval = std::chrono::seconds(10)};
constexpr auto sources = healthz::sources(healthz::source<"a">(at_port<0>{}, each), healthz::source<"b">(at_port<1>{}, each),
                                          healthz::source<"c">(at_port<2>{}, each), healthz::source<"d">(at_port<3>{}, each));
constinit healthz::monitor<sources, healthz::recorded> monitor;
constexpr auto shown = healthz::views(healthz::document{}, healthz::page{}, healthz::metrics{}, healthz::hello{}, healthz::live<>{},
                                      healthz::ready<>{}, healthz::startup{});
constexpr healthz::secret_digests<1> secret{};
using site = healthz::direct_site<sources, shown, secret>;
#endif

#if WIRE == 3
constinit healthz::lwip::server<site, monitor, 1> server;
#else
err_t accepted(void*, tcp_pcb* pcb, err_t) {
    auto const put = [pcb](char const* text, std::size_t size) { tcp_write(pcb, text, static_cast<u16_t>(size), TCP_WRITE_FLAG_COPY); };
#if WIRE == 2
    // Not constant for the compiler, as what a client sends is not.
    static char const* volatile said[] = {"GET", "/livez", "strict", "admin", "secret", "Basic c2VjcmV0", "text/html"};
    auto const answer =
        site::answer_to({said[0], said[1], said[2], said[3], said[4], said[4], said[5], said[6], said[0] == nullptr}, monitor);
    put(healthz::detail::field_lines_of_views<shown>[answer.found.view].data(), 1);
    site::write_body(answer, monitor, [&put](std::string_view piece) { put(piece.data(), piece.size()); });
#elif WIRE == 1
    for (auto const& lines : healthz::detail::field_lines_of_views<shown>) put(lines.data(), lines.size());
    for (std::size_t view = 0; view < 7; ++view)
        for (bool const as_admin : {false, true})
            site::write_body({.found = {healthz::answer::document, view, as_admin, {{}, {}, view & 1}}, .status = 200}, monitor,
                             [&put](std::string_view piece) { put(piece.data(), piece.size()); });
#else
    put("hello", 5);
#endif
    return tcp_close(pcb);
}
#endif

// All of lwIP that HTTP calls is in each image.
template <class Function>
void const* address(Function* of) {
    return reinterpret_cast<void const*>(of);
}
void const* volatile of_lwip[] = {address(&tcp_abort),        address(&tcp_recved), address(&tcp_shutdown),   address(&tcp_err),
                                  address(&tcp_recv),         address(&tcp_sent),   address(&tcp_output),     address(&pbuf_cat),
                                  address(&pbuf_free_header), address(&pbuf_alloc), address(&tcp_new_ip_type)};

}  // namespace

extern "C" {
u32_t sys_now() { return timer / 25000; }
unsigned int board_random() { return timer; }
}

int main() {
    if (of_lwip[0] == nullptr) return 1;
    lwip_init();
    ip4_addr_t const none{};
    netif_add(&ethernet, &none, &none, &none, nullptr, lan9118::start, ethernet_input);
    netif_set_up(&ethernet);
#if WIRE == 3
    if (server.listen(80) != ERR_OK) return 1;
#else
    auto* const any = tcp_new();
    tcp_bind(any, IP_ANY_TYPE, 80);
    tcp_accept(tcp_listen(any), accepted);
#endif
    for (;;) {
        lan9118::poll(ethernet, 1);
        sys_check_timeouts();
#if WIRE > 0
        monitor.poll(sys_now());
#endif
#if WIRE == 3
        server.poll(sys_now());
#endif
    }
}
