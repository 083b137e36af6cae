// SPDX-License-Identifier: BSL-1.0
// What the tests of the endpoint and of the server share: sources whose report is known to the byte, and who may read it.
#pragma once

#include "../catch.hpp"

#include <healthz.hpp>
#include <healthz/hosted/admin_secret.hpp>
#include <healthz/hosted/served_answer.hpp>
#include <healthz/http/request_reader.hpp>

#include <cstdlib>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace four {

using namespace std::chrono_literals;

constexpr auto never_called = [] { return healthz::ok(); };
inline constexpr auto sources =
    healthz::sources(healthz::source<"postgres">(never_called, {.interval = 1h}), healthz::source<"slow">(never_called, {.interval = 1h}),
                     healthz::source<"mssql">(never_called, {.interval = 1h}), healthz::source<"unset">(never_called, {.interval = 1h}));

inline healthz::utc_time moment(int nanoseconds) {
    auto const day = std::chrono::sys_days(std::chrono::year(2022) / 8 / 9);
    return healthz::utc_time(day + 9h + 32min + 5s + std::chrono::nanoseconds(nanoseconds));
}

/// All four states at once.
inline healthz::report<sources> report() {
    healthz::report<sources> result;
    auto const publish = [&result](std::size_t index, healthz::outcome const& o, int nanoseconds) {
        result.publish(index, o.status(), o.json(), moment(nanoseconds));
    };
    publish(0, healthz::ok(), 235347837);
    publish(1, healthz::timeout(), 0);
    publish(2, healthz::error("connection error", "it said \"no\"\n"), 7);
    publish(3, healthz::failed("environment variable 'ORDERS_URL' not set"), 999999999);
    return result;
}

inline constexpr std::string_view document =
    R"({"postgres":{"error":null,"status":"OK","timestamp":"2022-08-09T09:32:05.235347837Z"},)"
    R"("slow":{"error":null,"status":"TIMEOUT","timestamp":"2022-08-09T09:32:05.000000000Z"},)"
    R"("mssql":{"error":{"message":"connection error","extra":"it said \"no\"\n"},"status":"ERROR","timestamp":"2022-08-09T09:32:05.000000007Z"},)"
    R"("unset":{"error":"environment variable 'ORDERS_URL' not set","status":"FAILED","timestamp":"2022-08-09T09:32:05.999999999Z"}})";

}  // namespace four

/// Lines that any thread may add.
class notes {
public:
    void add(std::string line) {
        std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
    }
    std::vector<std::string> all() const {
        std::lock_guard lock(mutex_);
        return lines_;
    }

private:
    std::mutex mutable mutex_;
    std::vector<std::string> lines_;
};

/// An answer without its field Date, which must stand there once and be a date of this minute.
inline std::string without_date(std::string text) {
    auto const at = text.find("\r\nDate: ");
    REQUIRE(at != text.npos);
    REQUIRE(text.find("\r\nDate: ", at + 1) == text.npos);
    std::tm parsed{};
    auto const line = text.substr(at, 37);
    char const* const end = ::strptime(line.c_str(), "\r\nDate: %a, %d %b %Y %H:%M:%S GMT", &parsed);
    REQUIRE(end == line.c_str() + 37);
    auto const difference = std::difftime(std::time(nullptr), ::timegm(&parsed));
    CHECK(difference >= -1);
    CHECK(difference <= 60);
    return text.erase(at, 37);
}

inline constexpr std::string_view required_body =
    R"({"path":"$","error":"x-hasura-admin-secret/x-hasura-access-key required, but not found","code":"access-denied"})";
inline constexpr std::string_view invalid_body =
    R"({"path":"$","error":"invalid x-hasura-admin-secret/x-hasura-access-key","code":"access-denied"})";
inline constexpr std::string_view not_admin_body =
    R"({"path":"$","error":"You have to be an admin to access this endpoint","code":"access-denied"})";
inline constexpr std::string_view not_found_body = R"({"path":"$","error":"resource does not exist","code":"not-found"})";

/// As long as it lives its thread may allocate `allowed` times; then there is no memory. One at a time.
struct scarce_memory {
    explicit scarce_memory(std::size_t allowed);
    ~scarce_memory();
};

/// The policies of the contract's matrix. The secrets are unlike any other text of the tests, so that they can be sought.
inline constexpr char first_secret[] = "correct-horse-battery-staple-7f3a";
inline constexpr char second_secret[] = "tr0ub4dor-and-3-9c41d2";
inline healthz::admin_secret one_secret() { return healthz::admin_secret(first_secret); }
inline healthz::admin_secret two_secrets() { return healthz::admin_secret(first_secret, second_secret); }

/// One row of the contract's matrix. A header that is not set is absent.
struct matrix_row {
    int secrets;  ///< of the server: 0, 1 or 2
    std::optional<std::string> admin_secret;
    std::optional<std::string> access_key;
    std::optional<std::string> role;
    unsigned status;
    std::string_view body;  ///< of an error
};

inline std::vector<matrix_row> const& matrix() {
    using text = std::optional<std::string>;
    static auto const rows = [] {
        text const none;
        text const empty = "", right = first_secret, wrong = std::string(first_secret) + "!", second = second_secret;
        std::vector<matrix_row> all;
        for (int secrets = 0; secrets < 3; ++secrets) {
            // Who knows no secret learns nothing about roles.
            for (text const& role : {none, empty, text("admin"), text("user"), text("Admin"), text("ADMIN"), text("admin,user")}) {
                bool const admin = !role || role->empty() || *role == "admin";
                unsigned const status = admin ? 200 : 400;
                if (secrets == 0) {
                    all.push_back({0, none, none, role, status, not_admin_body});
                    all.push_back({0, wrong, none, role, status, not_admin_body});
                    all.push_back({0, none, empty, role, status, not_admin_body});
                    continue;
                }
                all.push_back({secrets, none, none, role, 401, required_body});
                all.push_back({secrets, wrong, none, role, 401, invalid_body});
                all.push_back({secrets, empty, none, role, 401, invalid_body});
                all.push_back({secrets, none, wrong, role, 401, invalid_body});
                all.push_back({secrets, none, empty, role, 401, invalid_body});
                all.push_back({secrets, wrong, right, role, 401, invalid_body});
                all.push_back({secrets, empty, right, role, 401, invalid_body});
                all.push_back({secrets, right, none, role, status, not_admin_body});
                all.push_back({secrets, none, right, role, status, not_admin_body});
                all.push_back({secrets, right, wrong, role, status, not_admin_body});
                if (secrets == 2) {
                    all.push_back({2, second, none, role, status, not_admin_body});
                    all.push_back({2, none, second, role, status, not_admin_body});
                    all.push_back({2, *right + *second, none, role, 401, invalid_body});
                } else {
                    all.push_back({1, second, none, role, 401, invalid_body});
                }
            }
        }
        return all;
    }();
    return rows;
}

/// Answers requests for one document alone.
template <healthz::authorization Auth>
class document_server {
public:
    document_server(healthz::shared_document const& document, Auth policy, std::string path)
        : document_(&document), auth_(std::move(policy)), path_(std::move(path)),
          errors_(std::make_shared<healthz::detail::error_answers>()) {}

    healthz::detail::served_answer operator()(healthz::detail::request_fields const& request, std::time_t now) const {
        using healthz::answer;
        auto const which = healthz::decide(request.view(), path_, auth_);
        if (which != answer::document && which != answer::strict_document) return {which, errors_->at(which, now)};
        auto whole = document_->latest(now);
        bool const unavailable = which == answer::strict_document && !whole->all_ok;
        return {which, std::move(whole), unavailable};
    }

private:
    healthz::shared_document const* document_;
    Auth auth_;
    std::string path_;
    std::shared_ptr<healthz::detail::error_answers> errors_;
};
