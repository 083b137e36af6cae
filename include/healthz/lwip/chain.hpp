// SPDX-License-Identifier: BSL-1.0
// Text that is written before its size is known, in blocks of lwIP's heap, from which it is sent without being copied.
// Needs lwIP (2.1 or newer).
#pragma once

#include "../text.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <lwip/arch.h>
#include <lwip/pbuf.h>

namespace healthz::lwip::detail {

/// Text in lwIP's heap, in blocks; or no more than its size.
class chain {
public:
    explicit chain(bool is_kept = true) : is_kept_(is_kept) {}
    chain(chain const&) = delete;
    chain& operator=(chain const&) = delete;
    ~chain() {
        if (first_ != nullptr) pbuf_free(first_);
    }

    std::size_t size() const { return size_; }

    void operator()(std::string_view piece) {
        size_ += piece.size();
        if (!is_kept_) return;
        while (piece.size() > room_) {
            auto const first = healthz::detail::text_until(piece, room_);
            piece = healthz::detail::text_from(piece, room_);
            put(first);
            if (!grow()) return;
        }
        put(piece);
    }

    /// This text and the other behind it; both are gone then. None if there was no room for all of it.
    pbuf* join(chain& other) {
        if (failed_ || other.failed_) return nullptr;
        trim();
        other.trim();
        auto* const spare = pbuf_alloc(PBUF_RAW, spare_size, PBUF_RAM);
        if (spare == nullptr) return nullptr;
        pbuf_free(spare);
        if (other.first_ != nullptr) pbuf_cat(first_, other.first_);
        other.first_ = nullptr;
        auto* const whole = first_;
        first_ = nullptr;
        return whole;
    }

private:
    static constexpr u16_t spare_size = 512;  // is left for headers and acknowledgements

    void put(std::string_view piece) {
        end_ = healthz::detail::copy_text(piece, end_);
        room_ -= piece.size();
    }

    bool grow() {
        if (failed_) return false;
        auto* const next = allocated_ < 0xFFFF - 4 * block_size ? pbuf_alloc(PBUF_RAW, block_size, PBUF_RAM) : nullptr;
        failed_ = next == nullptr;
        if (failed_) return false;
        if (first_ == nullptr) first_ = next;
        else pbuf_cat(first_, next);
        allocated_ += block_size;
        last_ = next;
        end_ = static_cast<char*>(next->payload);
        room_ = block_size;
        return true;
    }

    // Leaves out what the last block has too much. It is not given back: lwIP 2.1.3 stops where it is to shorten its heap's last block.
    void trim() {
        auto const excess = static_cast<u16_t>(room_);
        for (auto* each = first_; each != nullptr; each = each->next) each->tot_len = static_cast<u16_t>(each->tot_len - excess);
        if (last_ != nullptr) last_->len = static_cast<u16_t>(last_->len - excess);
    }

    static constexpr u16_t block_size = 512;

    pbuf* first_ = nullptr;
    pbuf* last_ = nullptr;
    char* end_ = nullptr;   // of the text in the last
    std::size_t room_ = 0;  // behind it
    std::uint32_t allocated_ = 0;
    std::size_t size_ = 0;
    bool is_kept_, failed_ = false;
};

}  // namespace healthz::lwip::detail
