// SPDX-License-Identifier: BSL-1.0
// The metrics of a site for a program that has an Exposer of prometheus-cpp already.
// Needs prometheus-cpp.
#pragma once

#include "../hosted/site.hpp"
#include "../version.hpp"
#include "../view.hpp"
#include "../views/metrics.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace healthz {

/// `exposer.RegisterCollectable(c)`, of which the Exposer keeps a weak pointer. The site must outlive it. Any thread.
template <auto const& Sources, auto const& Views>
class collectable : public ::prometheus::Collectable {
public:
    explicit collectable(site<Sources, Views> const& shown) : site_(shown) {}

    std::vector<::prometheus::MetricFamily> Collect() const override {
        std::vector<::prometheus::MetricFamily> all;
        site_.with_data([&all](view_data const& data) {
            for (auto const& each : detail::metric_families)
                if (healthz::detail::has_family(data, each.what)) all.push_back(family_of(each, data));
        });
        ::prometheus::MetricFamily build{
            std::string(detail::build_info_name) + "_info", std::string(detail::build_info_help), ::prometheus::MetricType::Gauge, {}};
        build.metric.emplace_back().label.push_back({"version", std::string(version)});
        build.metric.back().gauge.value = 1;
        all.push_back(std::move(build));
        return all;
    }

private:
    static ::prometheus::MetricFamily family_of(detail::metric_family const& from, view_data const& data) {
        using ::prometheus::MetricType;
        auto const type = from.type == "counter" ? MetricType::Counter : from.type == "summary" ? MetricType::Summary : MetricType::Gauge;
        ::prometheus::MetricFamily family{std::string(from.name).append(from.suffix), std::string(from.help), type, {}};
        for (std::size_t i = 0; i < data.size(); ++i) {
            healthz::detail::for_each_sample(data, from.what, i, [&](detail::metric_sample sample) {
                auto const number = static_cast<double>(sample.number) / (sample.is_time ? 1e6 : 1);
                if (sample.part == detail::sample_part::count) {  // comes after the sum
                    family.metric.back().summary.sample_count = sample.number;
                    return;
                }
                auto& one = family.metric.emplace_back();
                one.label.push_back({"source_name", std::string(data.name(i))});
                if (sample.label != detail::sample_label::none) {
                    auto const value = healthz::detail::value_of_label(sample.label, data, i);
                    one.label.push_back({std::string(healthz::detail::name_of_label(sample.label)), std::string(value)});
                }
                if (type == MetricType::Counter) one.counter.value = number;
                else if (type == MetricType::Summary) one.summary.sample_sum = number;
                else one.gauge.value = number;
            });
        }
        return family;
    }

    site<Sources, Views> const& site_;
};

}  // namespace healthz
