// SPDX-License-Identifier: BSL-1.0
// Register names are those of the data sheet (SMSC LAN9118).
#include "lan9118.hpp"

#include <lwip/etharp.h>
#include <lwip/pbuf.h>

#include <cstdint>
#include <cstring>

namespace {

constexpr std::uintptr_t base = 0x40200000;
enum reg : std::uintptr_t {
    RX_DATA_FIFO = 0x00,
    TX_DATA_FIFO = 0x20,
    RX_STATUS_FIFO = 0x40,
    TX_STATUS_FIFO = 0x48,
    BYTE_TEST = 0x64,
    TX_CFG = 0x70,
    HW_CFG = 0x74,
    RX_FIFO_INF = 0x7C,
    TX_FIFO_INF = 0x80,
    MAC_CSR_CMD = 0xA4,
    MAC_CSR_DATA = 0xA8
};
std::uint32_t volatile& at(reg which) { return *reinterpret_cast<std::uint32_t volatile*>(base + which); }

// Of the MAC, behind two registers of the controller.
constexpr std::uint32_t MAC_CR = 1, ADDRH = 2, ADDRL = 3, busy = 1u << 31;
void set_mac(std::uint32_t index, std::uint32_t value) {
    at(MAC_CSR_DATA) = value;
    at(MAC_CSR_CMD) = busy | index;
    while ((at(MAC_CSR_CMD) & busy) != 0) {}
}

constexpr std::uint8_t address[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
constexpr std::uint16_t longest_frame = 1514;
static_assert(PBUF_POOL_BUFSIZE >= longest_frame);
alignas(4) std::uint8_t frame[(longest_frame + 3) / 4 * 4];

std::uint32_t words_of(std::uint32_t bytes) { return (bytes + 3) / 4; }

err_t send(netif*, pbuf* whole) {
    std::uint32_t const size = whole->tot_len, words = words_of(size);
    if (size > longest_frame || (at(TX_FIFO_INF) & 0xFFFF) < 4 * (words + 2)) return ERR_MEM;       // TCP sends it again
    for (std::uint32_t done = 0; (at(TX_FIFO_INF) >> 16 & 0xFF) != 0;) done += at(TX_STATUS_FIFO);  // nobody asks how it went
    pbuf_copy_partial(whole, frame, whole->tot_len, 0);
    at(TX_DATA_FIFO) = 1u << 13 | 1u << 12 | size;  // the first and last buffer of a frame
    at(TX_DATA_FIFO) = size;
    for (std::uint32_t i = 0; i < words; ++i) {
        std::uint32_t word;
        std::memcpy(&word, frame + 4 * i, 4);
        at(TX_DATA_FIFO) = word;
    }
    return ERR_OK;
}

// One frame off the FIFO, whether there is room for it or not.
pbuf* receive() {
    auto const status = at(RX_STATUS_FIFO);
    std::uint32_t const size = status >> 16 & 0x3FFF;  // with its checksum
    bool const is_good = (status & 1u << 15) == 0 && size > 4 && size - 4 <= longest_frame;
    auto* const into = is_good ? pbuf_alloc(PBUF_RAW, static_cast<u16_t>(size - 4), PBUF_POOL) : nullptr;
    for (std::uint32_t i = 0; i < words_of(size); ++i) {
        auto const word = at(RX_DATA_FIFO);
        if (4 * i < sizeof frame) std::memcpy(frame + 4 * i, &word, 4);
    }
    if (into != nullptr) pbuf_take(into, frame, into->tot_len);
    return into;
}

}  // namespace

err_t lan9118::start(netif* as) {
    if (at(BYTE_TEST) != 0x87654321) return ERR_IF;
    at(HW_CFG) = 1u << 20 | 5u << 16;  // whole frames; 5 KiB of the FIFOs are for sending
    set_mac(ADDRL, address[0] | address[1] << 8 | address[2] << 16 | static_cast<std::uint32_t>(address[3]) << 24);
    set_mac(ADDRH, address[4] | address[5] << 8);
    set_mac(MAC_CR, 1u << 3 | 1u << 2);  // sends and receives
    at(TX_CFG) = 1u << 1;

    as->name[0] = 'e';
    as->name[1] = 'n';
    as->mtu = 1500;
    as->hwaddr_len = sizeof address;
    std::memcpy(as->hwaddr, address, sizeof address);
    as->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    as->output = etharp_output;
    as->linkoutput = send;
    return ERR_OK;
}

void lan9118::poll(netif& from, int most) {
    while (most-- > 0 && (at(RX_FIFO_INF) >> 16 & 0xFF) != 0)
        if (auto* const one = receive())
            if (from.input(one, &from) != ERR_OK) pbuf_free(one);
}
