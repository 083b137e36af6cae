// SPDX-License-Identifier: BSL-1.0
// Refused requests between the thread that serves and the one that logs them: counted by answer and client, in bounded memory.
// Needs Boost.Asio.
#pragma once

#include "../endpoint.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz::beast {

/// Requests of one client that were refused with the same answer.
struct refused {
    answer how = answer::not_found;  ///< `error_of(how)` has its status and words
    /// Of one of them, without its query, at most 256 bytes, as the client sent it; empty if none could be read.
    std::string path{};
    boost::asio::ip::address client{};  ///< unspecified if too many clients were refused to list them all
    std::size_t count = 0;              ///< how many since the handler was called last
};

namespace detail {

/// Thread safe; holds its lock for a search through some 64 entries at most.
class refusals {
public:
    static constexpr std::size_t most_clients = 64;
    static constexpr std::size_t longest_path = 256;

    /// Counts one. Returns true if none was waiting to be taken.
    bool add(answer how, std::string_view path, boost::asio::ip::address const& client) {
        std::lock_guard lock(mutex_);
        if (count(how, client)) return false;
        auto const who = waiting_.size() < most_clients ? client : boost::asio::ip::address();
        if (who != client && count(how, who)) return false;
        waiting_.push_back({how, std::string(path.substr(0, longest_path)), who, 1});
        return waiting_.size() == 1;
    }

    /// Those counted since the last call.
    std::vector<refused> take() {
        std::lock_guard lock(mutex_);
        return std::exchange(waiting_, {});
    }

private:
    bool count(answer how, boost::asio::ip::address const& client) {
        for (auto& each : waiting_) {
            if (each.how != how || each.client != client) continue;
            ++each.count;
            return true;
        }
        return false;
    }

    std::mutex mutex_;
    std::vector<refused> waiting_;
};

}  // namespace detail

}  // namespace healthz::beast
