// SPDX-License-Identifier: BSL-1.0
// All that is known of the sources for Prometheus, in its text format 0.0.4 and in OpenMetrics 1.0. Both give the same series.
// Part of the core.
#pragma once

#include "../outcome.hpp"
#include "../text.hpp"
#include "../verdict.hpp"
#include "../version.hpp"
#include "../view.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace healthz {

namespace detail {

/// What a family of metrics tells of a source.
enum class metric : std::uint8_t {
    health,
    up,
    status,
    stale,
    maintenance,
    off,
    changes,
    checks,
    failures,
    attempts,
    last_check,
    last_ok,
    since,
    last_duration,
    duration,
    worst_case,
    info
};

struct metric_family {
    metric what;
    std::string_view name;    ///< without the suffix of its samples
    std::string_view suffix;  ///< that a counter's sample and an information has
    std::string_view type;    ///< in OpenMetrics
    std::string_view unit;
    std::string_view help;
    int series = 1;  ///< of a source, at most
};

inline constexpr std::array metric_families{
    metric_family{metric::health, "hasura_source_health", "", "gauge", "", "Status of the source: 0 OK, 1 TIMEOUT, 2 FAILED, 3 ERROR."},
    metric_family{metric::up, "healthz_source_up", "", "gauge", "", "1 if the latest verdict of the source is OK, else 0."},
    metric_family{metric::status, "healthz_source_status", "", "gauge", "", "1 for the status of the source, 0 for the others.", 4},
    metric_family{metric::stale, "healthz_source_stale", "", "gauge", "",
                  "1 if the source was not checked for longer than its worst-case detection, else 0."},
    metric_family{metric::maintenance, "healthz_source_maintenance", "", "gauge", "", "1 while the source is in maintenance, else 0."},
    metric_family{metric::off, "healthz_source_off", "", "gauge", "", "1 while the source is off, since it is not there, else 0."},
    metric_family{metric::changes, "healthz_status_changes", "_total", "counter", "", "How often the status of the source has changed."},
    metric_family{metric::checks, "healthz_checks", "_total", "counter", "", "How many checks of the source have ended."},
    metric_family{metric::failures, "healthz_check_failures", "_total", "counter", "",
                  "How many checks did not find the source OK, by what they found.", 3},
    metric_family{metric::attempts, "healthz_attempts", "_total", "counter", "", "How many attempts all checks of the source have made."},
    metric_family{metric::last_check, "healthz_last_check_timestamp_seconds", "", "gauge", "seconds",
                  "When the last check of the source ended."},
    metric_family{metric::last_ok, "healthz_last_ok_timestamp_seconds", "", "gauge", "seconds", "When a check last found the source OK."},
    metric_family{metric::since, "healthz_status_since_timestamp_seconds", "", "gauge", "seconds", "Since when the source has its status."},
    metric_family{metric::last_duration, "healthz_last_check_duration_seconds", "", "gauge", "seconds",
                  "How long the last check of the source took, with its retries."},
    metric_family{metric::duration, "healthz_check_duration_seconds", "", "summary", "seconds",
                  "How long the checks of the source took, with their retries.", 2},
    metric_family{metric::worst_case, "healthz_source_worst_case_detection_seconds", "", "gauge", "seconds",
                  "The longest time from a failure of the source to its verdict."},
    metric_family{metric::info, "healthz_source", "_info", "info", "", "The kind of prober that checks the source."},
};
inline constexpr std::string_view build_info_name = "healthz_build", build_info_help = "The version of healthz.";
inline constexpr std::string_view end_of_metrics = "# EOF\n";

/// Puts `text` as the inside of a label's value.
template <class Sink>
constexpr void put_label(std::string_view text, Sink&& put) {
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && text[plain] != '\\' && text[plain] != '"' && text[plain] != '\n') ++plain;
        if (plain > 0) put(text_until(text, plain));
        if (plain == text.size()) return;
        put(text[plain] == '\\' ? "\\\\" : text[plain] == '"' ? "\\\"" : "\\n");
        text = text_from(text, plain + 1);
    }
}
constexpr std::size_t label_size(std::string_view text) {
    std::size_t size = 0;
    healthz::detail::put_label(text, [&size](std::string_view piece) { size += piece.size(); });
    return size;
}

/// A label of a sample beside `source_name`: `status` with one of the four as its value, or the `prober`.
enum class sample_label : std::uint8_t { ok, timeout, failed, error, prober, none };
/// A summary has two samples.
enum class sample_part : std::uint8_t { whole, sum, count };

/// One sample of a family. Small, since there are thousands.
struct metric_sample {
    std::uint64_t number;
    bool is_time = false;  ///< the number is microseconds, told as seconds
    sample_label label = sample_label::none;
    sample_part part = sample_part::whole;
};

constexpr std::string_view name_of_label(sample_label label) { return label == sample_label::prober ? "prober" : "status"; }
/// The value of the label of a sample of source `i`, which needs no escapes.
constexpr std::string_view value_of_label(sample_label label, view_data const& data, std::size_t i) {
    return label == sample_label::prober ? data.kind(i) : to_string(static_cast<status>(label));
}

/// Calls `f` with each sample that a family has of source `i`.
template <class F>
constexpr void for_each_sample(view_data const& data, metric what, std::size_t i, F f) {
    constexpr std::array all{healthz::status::ok, healthz::status::timeout, healthz::status::failed, healthz::status::error};
    constexpr auto moment = [](timestamp const& when) {
        auto const since_1970 = when.seconds > 0 ? static_cast<std::uint64_t>(when.seconds) : 0;
        return metric_sample{since_1970 * 1000000 + when.nanoseconds / 1000, true};
    };
    auto const& known = data.record(i);
    auto const status = data.status_of(i);
    bool const is_off = data.is_off(i);
    switch (what) {
        case metric::health:
            if (status) f(metric_sample{static_cast<std::uint64_t>(*status)});
            break;
        case metric::up:
            if (status) f(metric_sample{*status == healthz::status::ok});
            break;
        case metric::status:
            for (auto const each : all) f(metric_sample{status == each, false, static_cast<sample_label>(each)});
            break;
        case metric::stale: f(metric_sample{data.is_stale(i)}); break;
        case metric::maintenance: f(metric_sample{known.maintenance}); break;
        case metric::off:
            if (data.has_condition(i)) f(metric_sample{is_off});
            break;
        case metric::changes: f(metric_sample{known.changes}); break;
        case metric::checks: f(metric_sample{known.count()}); break;
        case metric::failures:
            for (auto const each : all)
                if (each != healthz::status::ok)
                    f(metric_sample{known.checks[static_cast<std::size_t>(each)], false, static_cast<sample_label>(each)});
            break;
        case metric::attempts: f(metric_sample{known.attempts_made}); break;
        case metric::last_check:
            if (known.checked && !is_off) f(moment(known.last_check));
            break;
        case metric::last_ok:
            if (known.was_ok) f(moment(known.last_ok));
            break;
        case metric::since:
            if (status) f(moment(known.since));
            break;
        case metric::last_duration:
            if (known.checked && !is_off) f(metric_sample{known.took, true});
            break;
        case metric::duration:
            f(metric_sample{known.took_in_all, true, sample_label::none, sample_part::sum});
            f(metric_sample{known.measured, false, sample_label::none, sample_part::count});
            break;
        case metric::worst_case: f(metric_sample{static_cast<std::uint64_t>(data.worst_case_detection(i).count()) * 1000, true}); break;
        case metric::info: f(metric_sample{1, false, sample_label::prober}); break;
    }
}

/// Whether a family can have samples.
constexpr bool has_family(view_data const& data, metric what) {
    if (what != metric::off) return true;
    for (std::size_t i = 0; i < data.size(); ++i)
        if (data.has_condition(i)) return true;
    return false;
}

/// Writes the samples of one family after the other.
template <class Sink>
class metrics_writer {
public:
    constexpr metrics_writer(view_data const& data, bool open_metrics, Sink& put) : data_(data), open_metrics_(open_metrics), put_(put) {}

    constexpr void write() {
        for (auto const& family : metric_families) {
            if (!healthz::detail::has_family(data_, family.what)) continue;
            begin(family);
            for (std::size_t i = 0; i < data_.size(); ++i)
                healthz::detail::for_each_sample(data_, family.what, i, [&](metric_sample sample) { write(i, sample); });
        }
        begin({metric::info, build_info_name, "_info", "info", "", build_info_help});
        put_(build_info_name);
        put_("_info{version=\"");
        put_(version);
        put_("\"} 1\n");
        if (open_metrics_) put_(end_of_metrics);
    }

private:
    // In text 0.0.4 an information is a gauge, and a family has the name of its samples.
    constexpr void begin(metric_family const& family) {
        family_ = family;
        char* const end = healthz::detail::copy_text(
            "{source_name=\"", healthz::detail::copy_text(family.suffix, healthz::detail::copy_text(family.name, head_)));
        head_size_ = static_cast<std::size_t>(end - head_);
        comment("# TYPE ", open_metrics_ || family.type != "info" ? family.type : "gauge");
        if (open_metrics_ && !family.unit.empty()) comment("# UNIT ", family.unit);
        comment("# HELP ", family.help);
    }
    constexpr void comment(std::string_view what, std::string_view text) {
        put_(what);
        put_(family_.name);
        if (!open_metrics_ && !family_.suffix.empty()) put_(family_.suffix);
        put_(" ");
        put_(text);
        put_("\n");
    }

    // In few pieces, since there are thousands of samples: each costs as much as ten bytes.
    constexpr void write(std::size_t index, metric_sample sample) {
        constexpr std::string_view end_of_name = "{source_name=\"", end_of_labels = "\"} ";
        constexpr std::string_view statuses[] = {"\",status=\"OK\"} ", "\",status=\"TIMEOUT\"} ", "\",status=\"FAILED\"} ",
                                                 "\",status=\"ERROR\"} "};
        if (sample.part == sample_part::whole) {
            put_(std::string_view(head_, head_size_));
        } else {
            put_(family_.name);
            put_(sample.part == sample_part::sum ? "_sum" : "_count");
            put_(end_of_name);
        }
        auto const source = data_.name(index);
        if (data_.report().key(index).size() == source.size()) put_(source);  // it needs no escapes
        else healthz::detail::put_label(source, put_);
        bool const has_status = sample.label < sample_label::prober;
        if (has_status) {
            put_(statuses[static_cast<std::size_t>(sample.label)]);
        } else if (sample.label == sample_label::prober) {
            put_("\",prober=\"");
            put_(data_.kind(index));
        }
        if (sample.number < 10 && !sample.is_time) {  // as most are
            constexpr std::string_view lines = "\"} 0\n\"} 1\n\"} 2\n\"} 3\n\"} 4\n\"} 5\n\"} 6\n\"} 7\n\"} 8\n\"} 9\n";
            auto const line = text_until(text_from(lines, 5 * static_cast<std::size_t>(sample.number)), 5);
            return put_(has_status ? text_from(line, end_of_labels.size()) : line);
        }
        char text[end_of_labels.size() + longest_seconds + 1];
        char* const end = text + sizeof text;
        end[-1] = '\n';
        char* begin = sample.is_time ? healthz::detail::write_seconds_before(sample.number, end - 1)
                                     : healthz::detail::write_number_before(sample.number, end - 1);
        if (!has_status) {
            begin -= end_of_labels.size();
            healthz::detail::copy_text(end_of_labels, begin);
        }
        put_(std::string_view(begin, static_cast<std::size_t>(end - begin)));
    }

    static constexpr std::size_t longest_head = [] {
        std::size_t longest = build_info_name.size() + std::string_view("_info").size();
        for (auto const& family : metric_families) {
            auto const size = family.name.size() + family.suffix.size();
            if (size > longest) longest = size;
        }
        return longest + std::string_view("{source_name=\"").size();
    }();

    view_data const& data_;
    bool open_metrics_;
    Sink& put_;
    metric_family family_{};
    char head_[longest_head]{};  // what each sample of the family begins with
    std::size_t head_size_ = 0;
};

/// The bytes of a sample beside its name, the name of its source and the kind of prober: the longest label and number.
inline constexpr std::size_t longest_sample = std::string_view("_count{source_name=\"\",status=\"TIMEOUT\"} \n").size() + longest_seconds;

}  // namespace detail

/// The formats of metrics.
enum class metrics_format : std::uint8_t { prometheus, open_metrics };

/// Streams all metrics into `put`: for a file, or a device without HTTP.
template <std::invocable<std::string_view> Sink>
constexpr void write_metrics(view_data const& data, Sink&& put, metrics_format format = metrics_format::prometheus) {
    detail::metrics_writer<std::remove_reference_t<Sink>>(data, format == metrics_format::open_metrics, put).write();
}

/// How many series there can be for `Sources`.
template <auto const& Sources>
inline constexpr std::size_t metric_series = [] {
    std::size_t series = 1;
    for (auto const& family : detail::metric_families)
        if (family.what != detail::metric::off) series += static_cast<std::size_t>(family.series) * size_of<Sources>;
    for (auto const& facts : detail::facts_of<Sources>) series += facts.has_condition;
    return series;
}();

/// The size of the largest scrape that there can be for `Sources`, in bytes.
template <auto const& Sources>
inline constexpr std::size_t max_metrics_size = [] {
    std::size_t size = 3 * 64 + 2 * detail::build_info_name.size() + 100 + detail::end_of_metrics.size();
    std::size_t names = 0;
    for (std::size_t i = 0; i < size_of<Sources>; ++i)
        names += healthz::detail::label_size(detail::rows_of<Sources>[i].name()) + detail::facts_of<Sources>[i].kind.size();
    for (auto const& family : detail::metric_families) {
        auto const name = family.name.size() + family.suffix.size();
        size += 3 * (std::string_view("# TYPE  \n").size() + name) + family.type.size() + family.unit.size() + family.help.size();
        size += static_cast<std::size_t>(family.series) * (names + size_of<Sources> * (name + detail::longest_sample));
    }
    return size;
}();

/// `GET /metrics`: for Prometheus, in the format that it asks for.
struct metrics {
    static constexpr std::string_view role = "metrics";
    std::string_view path = "/metrics";
    static constexpr healthz::access access = healthz::access::admin;
    static constexpr std::array types{std::string_view("text/plain; version=0.0.4; charset=utf-8"),
                                      std::string_view("application/openmetrics-text; version=1.0.0; charset=utf-8")};
    template <auto const& Sources>
    static constexpr std::size_t max_size = max_metrics_size<Sources>;

    constexpr metrics() = default;
    constexpr explicit metrics(std::string_view at) : path(at) {}

    template <std::invocable<std::string_view> Sink>
    constexpr void write(view_data const& data, view_request const& request, Sink&& put) const {
        healthz::write_metrics(data, put, static_cast<metrics_format>(request.type));
    }
};

}  // namespace healthz
