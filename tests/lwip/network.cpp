// SPDX-License-Identifier: BSL-1.0
#include "network.hpp"

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>
#include <lwip/timeouts.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace {

netif cable;
ip_addr_t address;
[[maybe_unused]] std::size_t allocated = 0, most_allocated = MEM_SIZE;  // where it is not lwIP that keeps the heap

err_t take(netif*, pbuf* packet, ip4_addr_t const*) {
    simulated::frame one{std::vector<std::uint8_t>(packet->tot_len)};
    pbuf_copy_partial(packet, one.bytes.data(), packet->tot_len, 0);
    simulated::network.put(std::move(one));
    return ERR_OK;
}

err_t start_link(netif* as) {
    as->name[0] = 's';
    as->name[1] = 'i';
    as->mtu = 1500;
    as->output = take;
    as->flags = NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

}  // namespace

extern "C" {

u32_t sys_now() { return simulated::now; }

unsigned int lwip_test_random() {
    static unsigned int state = 1;
    return state = state * 1664525 + 1013904223;
}

#if LWIP_TEST_MALLOC
void* lwip_test_malloc(unsigned long size) {
    if (allocated + size > most_allocated) return nullptr;
    auto* const block = static_cast<std::size_t*>(std::malloc(size + 16));
    *block = size;
    allocated += size;
    return block + 2;
}
void* lwip_test_calloc(unsigned long count, unsigned long size) { return std::calloc(count, size); }  // is not called
void lwip_test_free(void* block) {
    auto* const whole = static_cast<std::size_t*>(block) - 2;
    allocated -= *whole;
    std::free(whole);
}
#endif
}

namespace simulated {

wire network;
healthz::tick now = 1000;
std::function<void(healthz::tick)> on_turn;

void wire::put(frame one) {
    switch (takes ? takes(one) : fate::pass) {
        case fate::pass: on_the_way_.push_back(std::move(one)); break;
        case fate::hold: held.push_back(std::move(one)); break;
        case fate::drop: break;
    }
}

void wire::let_go() {
    for (auto& each : held) on_the_way_.push_back(std::move(each));
    held.clear();
}

void wire::let_go_in_reverse() {
    std::reverse(held.begin(), held.end());
    let_go();
}

bool wire::deliver() {
    if (on_the_way_.empty()) return false;
    auto const one = std::move(on_the_way_.front());
    on_the_way_.pop_front();
    auto* const into = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(one.bytes.size()), PBUF_POOL);
    if (into == nullptr) return true;  // lost
    pbuf_take(into, one.bytes.data(), into->tot_len);
    if (cable.input(into, &cable) != ERR_OK) pbuf_free(into);
    return true;
}

void start() {
    static bool started = false;
    if (std::exchange(started, true)) return;
    lwip_init();
    IP4_ADDR(&address, 10, 0, 0, 1);
    ip4_addr_t mask, gateway;
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 0, 0, 0, 0);
    netif_add(&cable, &address, &mask, &gateway, nullptr, start_link, ip_input);
    netif_set_default(&cable);
    netif_set_up(&cable);
}

void run(std::uint32_t milliseconds, std::uint32_t step) {
    for (std::uint32_t gone = 0; gone < milliseconds; gone += step) {
        now += step;
        while (network.deliver()) {}
        sys_check_timeouts();
        if (on_turn) on_turn(now);
    }
    while (network.deliver()) {}
}

bool run_until(std::function<bool()> const& holds, std::uint32_t step) {
    for (std::uint32_t gone = 0; !holds(); gone += step) {
        if (gone > 600000) return false;
        run(step, step);
    }
    return true;
}

holdings held_by_lwip() {
    std::size_t waiting = 0;
    for (auto* each = tcp_tw_pcbs; each != nullptr; each = each->next) ++waiting;
    return {lwip_stats.mem.used, lwip_stats.memp[MEMP_TCP_PCB]->used - waiting, lwip_stats.memp[MEMP_TCP_SEG]->used,
            lwip_stats.memp[MEMP_PBUF]->used, lwip_stats.memp[MEMP_PBUF_POOL]->used};
}

heap_taken::heap_taken(std::size_t but_for) {
#if LWIP_TEST_MALLOC
    most_allocated = allocated + but_for;
#else
    // Of a heap in pieces all that is left, then so much of it again.
    void* const kept = but_for > 0 ? mem_malloc(static_cast<mem_size_t>(but_for)) : nullptr;
    for (mem_size_t size = MEM_SIZE; size >= 16;) {
        if (auto* const block = mem_malloc(size)) blocks_.push_back(block);
        else size = static_cast<mem_size_t>(size / 2);
    }
    if (kept != nullptr) mem_free(kept);
#endif
}

heap_taken::~heap_taken() {
    most_allocated = MEM_SIZE;
    for (auto* each : blocks_) mem_free(each);
}

client::client(std::uint16_t port) {
    pcb_ = tcp_new();
    if (pcb_ == nullptr) {
        is_broken = true;
        return;
    }
    tcp_arg(pcb_, this);
    tcp_nagle_disable(pcb_);
    tcp_err(pcb_, [](void* self, err_t) {
        auto& me = *static_cast<client*>(self);
        me.pcb_ = nullptr;
        me.is_broken = true;
    });
    tcp_recv(pcb_, [](void* self, tcp_pcb* pcb, pbuf* bytes, err_t) -> err_t {
        auto& me = *static_cast<client*>(self);
        if (bytes == nullptr) {
            me.is_ended = true;
            me.forget_if_closed();
            return ERR_OK;
        }
        auto const before = me.received.size();
        me.received.resize(before + bytes->tot_len);
        pbuf_copy_partial(bytes, me.received.data() + before, bytes->tot_len, 0);
        if (me.is_reading) tcp_recved(pcb, bytes->tot_len);
        else me.unread_ += bytes->tot_len;
        pbuf_free(bytes);
        return ERR_OK;
    });
    tcp_sent(pcb_, [](void* self, tcp_pcb*, u16_t) -> err_t {
        static_cast<client*>(self)->pump();
        return ERR_OK;
    });
    tcp_poll(
        pcb_,
        [](void* self, tcp_pcb*) -> err_t {
            static_cast<client*>(self)->pump();
            return ERR_OK;
        },
        1);
    auto const error = tcp_connect(pcb_, &address, port, [](void* self, tcp_pcb*, err_t) -> err_t {
        static_cast<client*>(self)->is_connected = true;
        static_cast<client*>(self)->pump();
        return ERR_OK;
    });
    if (error != ERR_OK) reset();
}

client::~client() {
    if (pcb_ != nullptr) reset();
}

void client::send(std::string_view bytes) {
    if (!bytes.empty()) to_send_.emplace_back(bytes);
    pump();
}

void client::send_in_bytes(std::string_view bytes) {
    for (char const each : bytes) to_send_.emplace_back(1, each);
    pump();
}

void client::finish() {
    finishing_ = true;
    pump();
}

void client::reset() {
    is_broken = true;
    if (pcb_ == nullptr) return;
    tcp_err(pcb_, nullptr);
    tcp_abort(std::exchange(pcb_, nullptr));
}

void client::read_all() {
    is_reading = true;
    for (; pcb_ != nullptr && unread_ > 0;) {
        auto const size = static_cast<u16_t>(std::min<std::size_t>(unread_, 0xFFFF));
        tcp_recved(pcb_, size);
        unread_ -= size;
    }
}

void client::pump() {
    if (pcb_ == nullptr || !is_connected) return;
    while (!to_send_.empty()) {
        auto& first = to_send_.front();
        auto const size = std::min<std::size_t>(first.size(), tcp_sndbuf(pcb_));
        if (size == 0 || tcp_write(pcb_, first.data(), static_cast<u16_t>(size), TCP_WRITE_FLAG_COPY) != ERR_OK) break;
        tcp_output(pcb_);
        first.erase(0, size);
        if (first.empty()) to_send_.pop_front();
    }
    tcp_output(pcb_);
    if (to_send_.empty() && finishing_ && !has_finished_ && tcp_shutdown(pcb_, 0, 1) == ERR_OK) {
        has_finished_ = true;
        forget_if_closed();
    }
}

void client::forget_if_closed() {
    if (!is_ended || !has_finished_) return;
    tcp_arg(pcb_, nullptr);
    tcp_recv(pcb_, nullptr);
    tcp_sent(pcb_, nullptr);
    tcp_poll(pcb_, nullptr, 0);
    tcp_err(pcb_, nullptr);
    pcb_ = nullptr;
}

}  // namespace simulated
