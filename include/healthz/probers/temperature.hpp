// SPDX-License-Identifier: BSL-1.0
// temperature: what the sensors of the machine measure is not too hot.
// Needs Linux.
#pragma once

#include "../hosted/kernel_file.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"

#include <glob.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthz {

/// OK when the hottest sensor is at most at `most_celsius`. Sensors are those of the thermal zones (`class/thermal` in sysfs) and of
/// hardware monitoring (`class/hwmon`). One that tells nothing now, as those of sleeping devices do, is left out as long as another one
/// does. An immediate prober, which blocks as long as the sensors do.
/// ERROR: it is hotter, there is no such sensor, or none can be read. FAILED: no limit.
struct temperature {
    static constexpr char const* kind = "temperature";  ///< as a label of metrics
    std::optional<double> most_celsius = {};
    /// Which sensors: the `type` of a thermal zone, such as "cpu-thermal", the `name` of a chip of hardware monitoring, such as "k10temp",
    /// or the `label` of one of its inputs, such as "Tctl". Without it, all.
    setting sensor = setting();
    /// Where sysfs is mounted; in a container that watches its host for example "/host/sys".
    setting sys = "/sys";

    constexpr char const* complaint() const {
        if (!most_celsius) return "healthz: temperature needs a limit: write how hot it may be, .most_celsius = 85";
        return sys.required("healthz: temperature needs a folder: leave .sys out, or write a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe() const {
        std::string problem;
        auto const root = sys.read_path("sys", problem);
        if (!root) return outcome_type::failed(problem);
        if (!most_celsius) return outcome_type::failed("the setting 'most_celsius' is not set");
        std::string wanted;
        if (sensor.given()) {
            auto const name = sensor.read("sensor", problem);
            if (!name) return outcome_type::failed(problem);
            wanted = *name;
        }

        measured hottest;
        for (auto const& input : files(*root, "/class/thermal/thermal_zone*/temp")) {
            auto const type = name_at(folder_of(input) + "type");
            if (wanted.empty() || type == wanted) look(hottest, input, type);
        }
        for (auto const& input : files(*root, "/class/hwmon/hwmon*/temp*_input")) {
            auto const common = input.substr(0, input.size() - std::string_view("input").size());
            auto const name = name_at(folder_of(input) + "name"), label = name_at(common + "label");
            if (!wanted.empty() && name != wanted && label != wanted) continue;
            auto const fault = name_at(common + "fault");
            if (fault == "1") hottest.problem = common + "fault: the sensor is broken";
            else look(hottest, input, label.empty() ? name : name + ", " + label);
        }

        if (!hottest.celsius && !hottest.problem.empty()) return outcome_type::error("temperature cannot be read", hottest.problem);
        if (!hottest.celsius && wanted.empty()) return outcome_type::error("no temperature sensor", *root);
        if (!hottest.celsius) return outcome_type::error("no such temperature sensor", *root + ": " + wanted);
        if (*hottest.celsius <= *most_celsius) return outcome_type::ok();
        using healthz::detail::number_text;
        return outcome_type::error(
            "too hot", hottest.name + ": " + number_text(*hottest.celsius) + " degrees Celsius, more than " + number_text(*most_celsius));
    }

private:
    struct measured {
        std::optional<double> celsius = {};
        std::string name = {}, problem = {};
    };
    static void look(measured& hottest, std::string const& input, std::string const& name) {
        auto const text = healthz::detail::read_kernel_file(input, hottest.problem);
        if (!text) return;
        auto const millidegrees = healthz::detail::number_after<long>(*text, "");
        if (!millidegrees) {
            hottest.problem = input + ": no number";
            return;
        }
        auto const celsius = static_cast<double>(*millidegrees) / 1000;
        if (hottest.celsius && *hottest.celsius >= celsius) return;
        hottest.celsius = celsius;
        hottest.name = name.empty() ? input : name;
    }

    static std::string folder_of(std::string const& path) { return path.substr(0, path.rfind('/') + 1); }
    static std::string name_at(std::string const& path) {
        std::string problem;
        return healthz::detail::read_kernel_file(path, problem).value_or("");
    }

    /// The paths that `pattern` stands for below `root`, in their order.
    static std::vector<std::string> files(std::string const& root, char const* pattern) {
        std::string whole;
        for (char const c : root) (whole += std::string_view("*?[\\").find(c) == std::string_view::npos ? "" : "\\") += c;
        ::glob_t found{};
        std::vector<std::string> paths;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): it is for the home of a user, which no pattern here begins with
        if (::glob((whole + pattern).c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
        ::globfree(&found);
        return paths;
    }
};

}  // namespace healthz
