// SPDX-License-Identifier: BSL-1.0
// HTML as our page may use it, read strictly: what a browser would mend is a broken promise.
#pragma once

#include "fuzz.hpp"

#include <algorithm>
#include <array>

namespace html {

/// A tag as it was written, and the text behind it, its references replaced.
struct part {
    std::string_view tag;
    std::string text;
};

/// Takes a document apart, which must outlive the tags.
class reader {
public:
    static std::vector<part> read(std::string_view document) { return reader(document).all(); }

private:
    explicit reader(std::string_view document) : left_(document) {}

    std::vector<part> all() {
        constexpr std::string_view first = "<!doctype html>";
        fuzz::require(left_.starts_with(first), "a page has its doctype");
        left_.remove_prefix(first.size());
        std::vector<part> found;
        while (!left_.empty() && left_ != "\n") {
            part one{tag(), {}};
            if (is_raw_) skip_raw();
            else one.text = text();
            found.push_back(std::move(one));
        }
        fuzz::require(open_.empty(), "each element ends");
        return found;
    }

    bool take(std::string_view what) {
        if (!left_.starts_with(what)) return false;
        left_.remove_prefix(what.size());
        return true;
    }
    std::string_view take_while(std::string_view characters) {
        auto const taken = left_.substr(0, left_.find_first_not_of(characters));
        left_.remove_prefix(taken.size());
        return taken;
    }

    std::string_view tag() {
        constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";  // SVG has capitals
        auto const begin = left_;
        fuzz::require(take("<"), "a tag begins where one must");
        bool const ends = take("/");
        auto const name = take_while(name_characters);
        fuzz::require(!name.empty(), "a tag has a name");
        while (!ends && take(" ")) {
            fuzz::require(!take_while(name_characters).empty(), "an attribute has a name");
            if (!take("=")) continue;
            if (!take("\"")) {
                fuzz::require(!take_while(name_characters).empty(), "a value without quotes is a word");
                continue;
            }
            auto const end = left_.find_first_of("\"<&\n");
            fuzz::require(end != left_.npos && left_[end] == '"', "a value in quotes ends");
            left_.remove_prefix(end + 1);
        }
        bool const closed = !ends && take("/");
        fuzz::require(take(">"), "a tag ends");
        auto const whole = begin.substr(0, begin.size() - left_.size());
        count(name, ends, closed);
        is_raw_ = !ends && (name == "style" || name == "script");
        return whole;
    }

    // Elements end in their order; those of which HTML lets the end be left out end with what is around them.
    void count(std::string_view name, bool ends, bool closed) {
        constexpr std::array alone{std::string_view("meta"), std::string_view("link")},
            left_open{std::string_view("dt"), std::string_view("dd")};
        auto const is_one_of = [name](auto const& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
        if (!ends) {
            if (!closed && !is_one_of(alone) && !is_one_of(left_open)) open_.push_back(name);
            return;
        }
        fuzz::require(!open_.empty() && open_.back() == name, "elements end in their order");
        open_.pop_back();
    }

    void skip_raw() {
        auto const end = left_.find("</");
        fuzz::require(end != left_.npos, "a style or script ends");
        left_.remove_prefix(end);
    }

    std::string text() {
        constexpr std::array<std::pair<std::string_view, char>, 5> references{
            {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}}};
        std::string found;
        while (!left_.empty() && left_.front() != '<') {
            auto const c = static_cast<unsigned char>(left_.front());
            if (c == '&') {
                auto const is_it = [this](auto const& each) { return left_.starts_with(each.first); };
                auto const* const which = std::find_if(references.begin(), references.end(), is_it);
                fuzz::require(which != references.end(), "a reference is one of the five");
                found += which->second;
                left_.remove_prefix(which->first.size());
                continue;
            }
            fuzz::require((c >= 0x20 || c == '\n' || c == '\t') && c != 0x7F, "a text has no control character");
            found += left_.front();
            left_.remove_prefix(1);
        }
        return found;
    }

    std::string_view left_;
    std::vector<std::string_view> open_;
    bool is_raw_ = false;
};

}  // namespace html
