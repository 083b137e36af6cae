// SPDX-License-Identifier: BSL-1.0
// The text format 0.0.4 of Prometheus and OpenMetrics 1.0, as far as metrics of ours use them, read strictly.
#pragma once

#include "fuzz.hpp"

#include <map>
#include <set>

namespace exposition {

/// Takes a scrape apart, line by line, and returns how many series it has.
class reader {
public:
    static std::size_t read(std::string_view scrape, bool open_metrics) { return reader(open_metrics).all(scrape); }

private:
    explicit reader(bool open_metrics) : open_metrics_(open_metrics) {}

    std::size_t all(std::string_view scrape) {
        bool ended = false;
        while (!scrape.empty()) {
            auto const end = scrape.find('\n');
            fuzz::require(end != scrape.npos && !ended, "each line ends, and nothing follows the last one");
            line_ = scrape.substr(0, end);
            scrape.remove_prefix(end + 1);
            if (line_ == "# EOF") ended = true;
            else if (take("# ")) comment();
            else sample();
        }
        fuzz::require(ended == open_metrics_, "the end is marked where the format has a mark");
        return series_.size();
    }

    bool take(std::string_view what) {
        if (!line_.starts_with(what)) return false;
        line_.remove_prefix(what.size());
        return true;
    }
    std::string_view name() {
        constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:", digits = "0123456789";
        std::size_t size = 0;
        while (size < line_.size() && (first.find(line_[size]) != first.npos || (size > 0 && digits.find(line_[size]) != digits.npos)))
            ++size;
        fuzz::require(size > 0, "a name has its characters");
        auto const found = line_.substr(0, size);
        line_.remove_prefix(size);
        return found;
    }

    // TYPE begins a family, which is there once.
    void comment() {
        if (take("TYPE ")) {
            family_ = name();
            fuzz::require(families_.insert(family_).second, "a family is there once");
            fuzz::require(take(" "), "a type follows its family");
            type_ = line_;
            fuzz::require(type_ == "gauge" || type_ == "counter" || type_ == "summary" || (open_metrics_ && type_ == "info"),
                          "a type is one");
            has_help_ = has_samples_ = false;
            return;
        }
        bool const is_help = take("HELP ");
        fuzz::require(is_help || (open_metrics_ && take("UNIT ")), "a comment is of one of three kinds");
        fuzz::require(name() == family_ && !has_samples_ && take(" ") && !line_.empty(), "a comment is about the family that began");
        fuzz::require(is_help || family_.ends_with("_" + std::string(line_)), "a family ends with its unit");
        fuzz::require(!is_help || !has_help_, "a family has one help");
        has_help_ |= is_help;
    }

    // OpenMetrics: the suffix of a sample depends on its family's type; in 0.0.4 a summary's alone does.
    bool is_of_family(std::string_view sample) const {
        if (!sample.starts_with(family_)) return false;
        auto const suffix = sample.substr(family_.size());
        if (type_ == "summary") return suffix == "_sum" || suffix == "_count";
        if (open_metrics_ && type_ == "counter") return suffix == "_total";
        if (open_metrics_ && type_ == "info") return suffix == "_info";
        return suffix.empty();
    }

    void sample() {
        auto const begin = line_;
        auto const sample_name = name();
        fuzz::require(is_of_family(sample_name), "a sample is of the family that began");
        has_samples_ = true;
        std::map<std::string_view, std::string> labels;
        fuzz::require(take("{"), "a sample has labels");
        do {
            auto const label = name();
            fuzz::require(take("=\""), "a label has a value");
            fuzz::require(labels.emplace(label, value()).second, "a label is there once");
        } while (take(","));
        fuzz::require(take("} "), "the labels end");
        fuzz::require(series_.insert(begin.substr(0, begin.size() - line_.size())).second, "a series is there once");
        auto const whole = line_.substr(0, line_.find('.')), fraction = line_.substr(std::min(line_.size(), whole.size() + 1));
        constexpr std::string_view digits = "0123456789";
        fuzz::require(!whole.empty() && whole.find_first_not_of(digits) == whole.npos &&
                          fraction.find_first_not_of(digits) == fraction.npos && line_.back() != '.',
                      "a number is one");
    }

    std::string value() {
        std::string found;
        for (; !take("\""); line_.remove_prefix(1)) {
            fuzz::require(!line_.empty(), "a label's value ends");
            if (take("\\")) fuzz::require(line_.starts_with('\\') || line_.starts_with('"') || line_.starts_with('n'), "an escape is one");
            found += line_.front();
        }
        return found;
    }

    bool open_metrics_;
    std::string_view line_, family_, type_;
    bool has_help_ = false, has_samples_ = false;
    std::set<std::string_view> families_, series_;
};

}  // namespace exposition
