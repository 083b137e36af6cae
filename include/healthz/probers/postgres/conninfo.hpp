// SPDX-License-Identifier: BSL-1.0
// A libpq connection string, URI or key=value, taken apart.
// Needs libpq.
#pragma once

#include "../../hosted/login.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz::detail {

/// All parameters that libpq uses: those of the connection string, and of the environment where the string has none. If it names
/// a service, that is left to libpq, since only libpq reads the file of services. `parse` and `start` may read files and so
/// block: call both on a worker.
class conninfo {
public:
    struct finisher {
        void operator()(PGconn* handle) const { PQfinish(handle); }
    };

    /// `instead` is the user and the password in place of those of the text. They are never put into it, where its end could take them for a
    /// part of a value. Nothing if libpq cannot parse the text, or would take a part of the password for something else.
    static std::optional<conninfo> parse(std::string const& text, login const& instead = {}) {
        using options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
        if (is_misread(text)) return std::nullopt;
        char* complaint = nullptr;  // which may quote half of a password
        options const parsed(PQconninfoParse(text.c_str(), &complaint), &PQconninfoFree);
        PQfreemem(complaint);
        if (!parsed) return std::nullopt;
        conninfo result;
        result.set_all(parsed.get());
        if (result.get("service").empty()) {
            options const defaults(PQconndefaults(), &PQconninfoFree);
            result.set_all(defaults.get());
            result.set_all(parsed.get());
        }
        if (instead.user) result.set("user", *instead.user);
        if (instead.password) result.set("password", *instead.password);
        if (result.get("port").find_first_not_of("0123456789,") != std::string::npos) return std::nullopt;
        auto const ports = result.list("port").size();
        auto const hosts = result.list("host").size(), addresses = result.list("hostaddr").size();
        bool const has_both = !result.get("host").empty() && !result.get("hostaddr").empty();
        if (has_both && hosts != addresses) return std::nullopt;
        if (ports > 1 && ports != std::max(hosts, addresses)) return std::nullopt;
        return result;
    }

    std::string get(std::string_view key) const {
        auto const at = std::find(keys_.begin(), keys_.end(), key);
        return at != keys_.end() ? values_[static_cast<std::size_t>(at - keys_.begin())] : std::string();
    }
    void set(std::string_view key, std::string value) {
        auto const at = std::find(keys_.begin(), keys_.end(), key);
        if (at != keys_.end()) {
            values_[static_cast<std::size_t>(at - keys_.begin())] = std::move(value);
        } else {
            keys_.emplace_back(key);
            values_.push_back(std::move(value));
        }
    }

    /// A value that is a list, with commas between; at least one item.
    std::vector<std::string> list(std::string_view key) const {
        std::vector<std::string> items(1);
        for (char c : get(key))
            if (c == ',') items.emplace_back();
            else items.back() += c;
        return items;
    }

    /// Begins to connect. Null if there is no memory.
    std::unique_ptr<PGconn, finisher> start() const {
        std::vector<char const*> keys, values;
        for (auto const& key : keys_) keys.push_back(key.c_str());
        for (auto const& value : values_) values.push_back(value.c_str());
        keys.push_back(nullptr);
        values.push_back(nullptr);
        return std::unique_ptr<PGconn, finisher>(PQconnectStartParams(keys.data(), values.data(), 0));
    }

private:
    // Whether libpq would take a part of the password for a host or a database, since an '@' or '/' in it is not
    // percent-encoded: in a URI it sees an '@' only if that comes before any '/', and only once. One in a parameter counts too,
    // since the '?' may be the password's.
    static bool is_misread(std::string_view url) {
        auto const scheme = url.find("://");
        if (!url.starts_with("postgres://") && !url.starts_with("postgresql://")) return false;
        url.remove_prefix(scheme + 3);
        url.remove_prefix(std::min(url.find_first_of("@/"), url.size() - 1) + 1);
        return url.find('@') != url.npos;
    }

    void set_all(PQconninfoOption const* options) {
        for (; options != nullptr && options->keyword != nullptr; ++options)
            if (options->val != nullptr) set(options->keyword, options->val);
    }

    std::vector<std::string> keys_;
    std::vector<std::string> values_;
};

}  // namespace healthz::detail
