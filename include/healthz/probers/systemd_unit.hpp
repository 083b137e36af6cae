// SPDX-License-Identifier: BSL-1.0
// systemd_unit: a unit of systemd is active.
// Needs libsystemd.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"

#include <systemd/sd-bus.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace healthz {

/// OK when systemd, asked over D-Bus, says that `unit` is active or is being reloaded. A unit that only works from time to time, such as
/// the service of a timer, is inactive in between: ask for the timer, and for what the service leaves behind with `file_age`. An
/// immediate prober, which opens a connection for each check and needs no privileges.
/// ERROR: the unit is in another state or is not there, or systemd cannot be asked. FAILED: no unit, or
/// `bus` is none that can be parsed.
struct systemd_unit {
    static constexpr char const* kind = "systemd_unit";  ///< as a label of metrics
    setting unit;                                        ///< with its suffix, such as "chrony.service"
    /// The address of the bus; in a container that watches its host for example "unix:path=/host/run/dbus/system_bus_socket".
    setting bus = env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket");

    constexpr char const* complaint() const {
        if (auto const sentence =
                bus.required("healthz: systemd_unit needs a bus: leave .bus out, or write a text in quotes, or healthz::env(...)"))
            return sentence;
        return unit.required("healthz: systemd_unit needs a unit: write .unit = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe(attempt a) const {
        std::string problem;
        auto const name = unit.read("unit", problem);
        auto const address = name ? bus.read("bus", problem) : std::nullopt;
        if (!address) return outcome_type::failed(problem);

        ::sd_bus* made = nullptr;
        int result = ::sd_bus_new(&made);
        std::unique_ptr<::sd_bus, ::sd_bus* (*)(::sd_bus*)> const link(made, &::sd_bus_close_unref);
        if (result >= 0) result = ::sd_bus_set_address(made, address->c_str());
        if (result >= 0) result = ::sd_bus_set_bus_client(made, 1);
        if (result >= 0) result = ::sd_bus_set_method_call_timeout(made, static_cast<std::uint64_t>(a.timeout.count()) * 1000);
        if (result >= 0) result = ::sd_bus_start(made);
        if (result == -EINVAL) return outcome_type::failed(bus.name("bus") + " is no address of a bus");
        if (result >= 0) result = await_ready(made, a.timeout);
        if (result < 0) return unasked(result, *address, problem);

        char* path = nullptr;
        result = ::sd_bus_path_encode("/org/freedesktop/systemd1/unit", name->c_str(), &path);
        text const where(path);
        auto const active = property(made, path, "ActiveState", result, problem);
        if (active == "active" || active == "reloading" || active == "refreshing") return outcome_type::ok();
        auto const loaded = property(made, path, "LoadState", result, problem), detail = property(made, path, "SubState", result, problem);
        if (result < 0) return unasked(result, *name, problem);
        if (loaded != "loaded") return outcome_type::error("unit is not loaded", *name + ": " + loaded);
        return outcome_type::error("unit is not active", *name + ": " + active + " (" + detail + ")");
    }

private:
    struct freed {
        void operator()(char* memory) const { std::free(memory); }
    };
    using text = std::unique_ptr<char, freed>;

    static outcome_type unasked(int result, std::string const& what, std::string const& problem) {
        if (result == -ETIMEDOUT) return outcome_type::timeout();
        auto const reason = problem.empty() ? std::generic_category().message(-result) : problem;
        return outcome_type::error("systemd cannot be asked", what + ": " + reason);
    }

    /// Waits until the bus has let us in, for so long. A call would do so, too, but for a minute and a half where the bus is silent.
    static int await_ready(::sd_bus* link, std::chrono::milliseconds timeout) {
        using std::chrono::steady_clock, std::chrono::microseconds;
        auto const end = steady_clock::now() + timeout;
        int result = 0;
        while (result >= 0 || result == -EINTR) {
            if (int const is_ready = ::sd_bus_is_ready(link); is_ready != 0) return is_ready;
            result = ::sd_bus_process(link, nullptr);
            if (result != 0) continue;
            auto const left = std::chrono::ceil<microseconds>(end - steady_clock::now()).count();
            if (left <= 0) return -ETIMEDOUT;
            result = ::sd_bus_wait(link, static_cast<std::uint64_t>(left));
        }
        return result;
    }

    /// One property of the unit, which systemd loads where it has not yet. Empty if `result` is negative, or becomes so, with systemd's
    /// reason, if it gives one, in `problem`.
    static std::string property(::sd_bus* link, char const* path, char const* which, int& result, std::string& problem) {
        if (result < 0) return {};
        ::sd_bus_error error{};
        char* value = nullptr;
        result =
            ::sd_bus_get_property_string(link, "org.freedesktop.systemd1", path, "org.freedesktop.systemd1.Unit", which, &error, &value);
        text const owned(value);
        if (error.message != nullptr) problem = error.message;
        ::sd_bus_error_free(&error);
        return result < 0 ? std::string() : std::string(value);
    }
};

}  // namespace healthz
