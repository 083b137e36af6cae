// SPDX-License-Identifier: BSL-1.0
// What a program is told of its checks by, and how: a handler that throws ends nothing.
// Needs exceptions and the standard library only.
#pragma once

#include "../record.hpp"
#include "../report.hpp"
#include "print_error.hpp"
#include "thrown.hpp"

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace healthz::detail {

/// Whether something is called with an event, and not with a report and an index.
template <class Handler>
concept event_function = std::invocable<Handler&, event const&>;

/// A handler of checks, which takes an event, or the report and the index of the source.
class event_handler {
public:
    event_handler() = default;
    template <class Handler>
        requires(!std::same_as<Handler, event_handler>)
    event_handler(Handler handler) {
        constexpr bool takes_report = std::invocable<Handler&, report_view const&, std::size_t const&>;
        static_assert(event_function<Handler> || takes_report,
                      "healthz: on_verdict and on_change take a function of a healthz::event, or of a healthz::report_view and an index");
        if constexpr (requires { handler == nullptr; })
            if (handler == nullptr) return;  // an empty std::function is no handler
        if constexpr (event_function<Handler>) call_ = std::move(handler);
        else if constexpr (takes_report) call_ = [handler = std::move(handler)](event const& e) mutable { handler(e.report, e.index); };
    }

    explicit operator bool() const { return static_cast<bool>(call_); }
    void operator()(event const& e) const { call_(e); }

private:
    std::function<void(event const&)> call_;
};

/// Calls handlers, and tells what one has thrown: to a handler of errors, or where there is none in a line on standard error.
class handler_calls {
public:
    explicit handler_calls(std::function<void(std::string_view)> on_error) : on_error_(std::move(on_error)) {}

    /// Calls `handler`, whose name is `name`.
    template <class Handler, class... Arguments>
    void call(char const* name, Handler const& handler, Arguments const&... arguments) const noexcept {
        try {
            handler(arguments...);
        } catch (...) {
            tell_thrown(name, std::current_exception());
        }
    }

    void tell(std::string const& text) const noexcept {
        try {
            if (on_error_) on_error_(text);
            else healthz::detail::print_error(text);
        } catch (...) {
            // There is no further handler.
        }
    }

    void tell_thrown(char const* where, std::exception_ptr const& thrown) const noexcept {
        try {
            tell(healthz::detail::sentence_of(where, thrown));
        } catch (...) {
            // No memory to report it.
        }
    }

private:
    std::function<void(std::string_view)> on_error_;
};

}  // namespace healthz::detail
