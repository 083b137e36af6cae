// SPDX-License-Identifier: BSL-1.0
// Refused requests on their way from the thread that serves to the one that logs: counted and held together, never without bound.
// Needs Boost.Asio.
#pragma once

#include "../endpoint.hpp"

#include <boost/asio/ip/address.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace healthz::beast {

/// Requests that were refused in the same way, asked for by the same client.
struct refused {
    answer how = answer::not_found;     ///< `error_of(how)` has its status and words
    /// Of one of them, without its query, at most 256 bytes, in the client's words; empty where none could be read.
    std::string path{};
    boost::asio::ip::address client{};  ///< unspecified where too many clients were refused to tell them apart
    std::size_t count = 0;              ///< how many, since they were told last
};

/// Thread safe; holds its lock for no more than a look through some 64 entries.
class refusals {
public:
    static constexpr std::size_t most_clients = 64;
    static constexpr std::size_t longest_path = 256;

    /// Counts one. True if nothing was waiting to be told.
    bool add(answer how, std::string_view path, boost::asio::ip::address const& client) {
        std::lock_guard lock(mutex_);
        if (count(how, client)) return false;
        auto const who = waiting_.size() < most_clients ? client : boost::asio::ip::address();
        if (who != client && count(how, who)) return false;
        waiting_.push_back({how, std::string(path.substr(0, longest_path)), who, 1});
        return waiting_.size() == 1;
    }

    /// What is waiting to be told.
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

}  // namespace healthz::beast
