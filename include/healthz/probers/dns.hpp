// SPDX-License-Identifier: BSL-1.0
// dns: a name resolves.
// Needs Boost.Asio and threads (for looking up names).
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace healthz {

/// OK when the system's resolver finds an address for `name`, wherever it looks: its files and caches count. A coroutine
/// prober; the look-up blocks a worker, perhaps beyond the timeout, and then the next check waits for it.
/// ERROR quotes the resolver; FAILED: no name.
struct dns {
    static constexpr char const* kind = "dns";  ///< as a label of metrics
    setting name;

    constexpr char const* complaint() const {
        return name.required("healthz: dns needs a name: write .name = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    boost::asio::awaitable<outcome_type> probe() const {
        std::string problem;
        auto const text = name.read("name", problem);
        if (!text) co_return outcome_type::failed(problem);
        healthz::resolved const found = co_await healthz::resolve(*text, "0");
        if (found.endpoints.empty()) co_return outcome_type::error("name not resolved", *text + ": " + found.problem);
        co_return outcome_type::ok();
    }
};

}  // namespace healthz
