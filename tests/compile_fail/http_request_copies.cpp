// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: these fields are copies, which are gone at once: keep them in a variable, and add each from there
// NAMES: http_request
#include <healthz/hosted/http_request.hpp>

#include <string>
#include <utility>

// Some fields, each made when it is looked at.
#ifdef TWIN
using text = std::string_view;
#else
using text = std::string;
#endif
struct fields {
    struct iterator {
        int left;
        std::pair<text, text> operator*() const { return {"accept", "text/html"}; }
        iterator& operator++() { return --left, *this; }
        bool operator!=(iterator const& other) const { return left != other.left; }
    };
    iterator begin() const { return {1}; }
    iterator end() const { return {0}; }
};
healthz::http_request const request = healthz::http_request("GET", "/livez").with(fields());
