// SPDX-License-Identifier: BSL-1.0
// odbc: a database answers a query through its ODBC driver.
// Needs unixODBC.
#pragma once

#include "../hosted/fork.hpp"
#include "../hosted/login.hpp"
#include "../hosted/openssl_user.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "../text.hpp"
#include "odbc/connection_string.hpp"
#include "odbc/utf16.hpp"

#include <dlfcn.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace healthz {

/// OK when the database at `connection_string` (`Driver={...};Server=...`, `DSN=...`, or just a data source's name) runs
/// `test` without an error. One connection a source, kept from check to check; one that is found dead is silently opened
/// anew once. An immediate prober that blocks: ODBC counts timeouts in seconds, so the driver gets the whole seconds
/// below the attempt's timeout, at least one, for the login and for the query. A driver that keeps no timeout blocks as
/// long as its server does (MariaDB's wants `CONN_TIMEOUT=9;READ_TIMEOUT=9` in the string), and one with `Threading=3` in
/// odbcinst.ini makes all its sources wait for each other.
/// ERROR has an object for `extra`: `sqlstate`, `native` (the driver's own number) and `text`, the driver's, up to a bound
/// and withheld if it may contain a password of the connection string. FAILED: the connection string is not set or malformed, or
/// names a driver or data source that is not installed.
struct odbc {
    static constexpr char const* kind = "odbc";  ///< as a label of metrics
    setting connection_string;
    /// Instead of those in `connection_string`.
    setting user = setting();
    setting password = setting();
    char const* test = "SELECT 1";
    /// Opens a connection for each check and closes it after.
    bool fresh = false;

    static constexpr bool remote = true;  // a blocking driver, but of a server elsewhere
    constexpr char const* complaint() const {
        return connection_string.required(
            "healthz: odbc needs a connection string: write .connection_string = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<1024>;
    class session;
};

/// The connection of one source.
class odbc::session {
public:
    explicit session(odbc const& settings) : session(settings, [](detail::odbc_string const&) { return std::string(); }) {}

    outcome_type probe(attempt a) {
        detail::openssl_user const inside;  // where the driver does so
        if (!inside) return outcome_type::failed(inside.refusal);
        deadline_ = clock::now() + a.timeout;
        std::string problem;
        auto const text = settings_.connection_string.read("connection_string", problem);
        auto const login = detail::login::read(settings_.user, settings_.password, problem);
        if (!problem.empty()) return outcome_type::failed(problem);
        if (settings_.test == nullptr || *settings_.test == '\0') return outcome_type::failed("the setting 'test' is not set");

        bool const just_a_name = text->find_first_of("=;") == text->npos;
        auto const alone = just_a_name ? "DSN=" + *text : *text;
        auto const parts = detail::odbc_string::parse(alone);
        if (!parts) return not_valid();  // what a login might close
        auto const whole = login.put_into_odbc(parts->without(alone, login.odbc_keywords()));
        if (settings_.fresh || whole != text_) link_.reset();
        text_ = whole;
        for (bool kept = link_ != nullptr;; kept = false) {
            if (!link_) {
                auto const connected = connect();
                if (connected.status() != status::ok) return connected;
            }
            auto const why = run(*link_);
            bool const late = why && is_late(*why);
            bool const dead = late || (why && is_dead(*link_, *why));
            if (dead || settings_.fresh) link_.reset();
            if (late) return timeout();
            if (dead && kept) continue;
            if (!why) return outcome_type::ok();
            return error(dead ? "connection error" : "query error", *why);
        }
    }

protected:
    /// Returns what `mssql` adds at the end of a connection string, where it counts only if the string itself does not have it.
    using addition = std::string (*)(detail::odbc_string const&);
    session(odbc const& settings, addition more) : settings_(settings), more_(more) {}

private:
    using clock = std::chrono::steady_clock;
    static_assert(sizeof(SQLWCHAR) == 2, "healthz::odbc: this driver manager does not take UTF-16, as unixODBC does");

    template <SQLSMALLINT Type>
    struct handle {
        SQLHANDLE value = SQL_NULL_HANDLE;

        explicit handle(SQLHANDLE parent) {
            if (!SQL_SUCCEEDED(SQLAllocHandle(Type, parent, &value))) value = SQL_NULL_HANDLE;
        }
        handle(handle const&) = delete;
        handle& operator=(handle const&) = delete;
        ~handle() {
            if (value != SQL_NULL_HANDLE) SQLFreeHandle(Type, value);
        }
    };

    struct connection {
        std::optional<handle<SQL_HANDLE_DBC>> database;
        std::optional<handle<SQL_HANDLE_STMT>> statement;
        SQLULEN query_timeout = 0;

        connection() { database.emplace(environment()); }
        connection(connection const&) = delete;
        connection& operator=(connection const&) = delete;
        ~connection() {
            statement.reset();
            if (database->value != SQL_NULL_HANDLE) SQLDisconnect(database->value);
        }
    };

    using owned_connection = std::unique_ptr<connection, detail::openssl_user::deleter>;

    /// Why a call failed.
    struct failure {
        std::string state;
        SQLINTEGER native = 0;
        std::string text;
    };

    static SQLPOINTER number(SQLULEN value) {
        return reinterpret_cast<SQLPOINTER>(value);  // NOLINT(performance-no-int-to-ptr): ODBC takes numbers in the place of pointers
    }

    // One for the process, and null where it cannot be had: as unixODBC makes one, it writes what other threads may be reading. Never
    // freed, since a stuck worker may still use it when the process ends.
    static std::mutex& environment_mutex() {
        static auto& mutex = []() -> std::mutex& {
            healthz::detail::hold_over_fork<&environment_mutex>();
            return *new std::mutex;
        }();
        return mutex;
    }
    static SQLHANDLE environment() {
        static SQLHANDLE shared = SQL_NULL_HANDLE;
        std::lock_guard const lock(environment_mutex());
        [[maybe_unused]] static bool const loaded = load_openssl();
        if (shared == SQL_NULL_HANDLE && SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &shared)))
            SQLSetEnvAttr(shared, SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
        return shared;
    }

    // A driver that uses it would load it in its first connection, and then the end of the process would not wait for that one.
    static bool load_openssl() {
        void* const library = ::dlopen("libcrypto.so.3", RTLD_LAZY);
        void* const found = library != nullptr ? ::dlsym(library, "OPENSSL_init_crypto") : nullptr;
        healthz::detail::openssl_user::wait_at_exit(reinterpret_cast<healthz::detail::openssl_user::initializer*>(found));
        return found != nullptr;
    }

    // The wide functions: with the others the text's encoding is each driver's guess, by the process's locale.
    static std::vector<SQLWCHAR> wide(std::string_view text) {
        auto const utf16 = healthz::detail::to_utf16(text);
        std::vector<SQLWCHAR> result(utf16.begin(), utf16.end());
        result.push_back(0);
        return result;
    }
    static std::string narrow(SQLWCHAR const* begin, SQLWCHAR const* end) { return healthz::detail::to_utf8(std::u16string(begin, end)); }

    // As much time as the next call has; 0 would mean for ever.
    SQLULEN seconds_left() {
        auto const below = std::chrono::ceil<std::chrono::seconds>(deadline_ - clock::now()) - std::chrono::seconds(1);
        auto const seconds = std::max(below, std::chrono::seconds(1));
        driver_deadline_ = clock::now() + seconds;
        return static_cast<SQLULEN>(seconds.count());
    }

    // Drivers report a timeout in many ways: by its own state, as a query that was cancelled, as a lost connection.
    bool is_late(failure const& f) const { return f.state == "HYT00" || f.state == "HYT01" || clock::now() >= driver_deadline_; }

    // The driver gives up as much as a second before the deadline. Its verdict is due then, and not when drivers count seconds.
    outcome_type timeout() const {
        if (clock::now() >= driver_deadline_) std::this_thread::sleep_until(deadline_);
        return outcome_type::timeout();
    }

    static bool is_dead(connection& link, failure const& f) {
        SQLUINTEGER dead = SQL_CD_FALSE;
        SQLGetConnectAttrW(link.database->value, SQL_ATTR_CONNECTION_DEAD, &dead, SQL_IS_UINTEGER, nullptr);
        return dead == SQL_CD_TRUE || f.state.starts_with("08");
    }

    outcome_type not_valid() const {
        return outcome_type::failed(settings_.connection_string.name("connection_string") + " is not a valid ODBC connection string");
    }

    outcome_type connect() {
        auto const given = detail::odbc_string::parse(text_);
        if (!given || !healthz::detail::is_utf8(text_)) return not_valid();
        secrets_ = secrets();
        for (auto const& each : given->secrets()) secrets_.add(each);
        // A name that is longer than ODBC allows is none, and makes unixODBC leak.
        if ((*given)["dsn"].size() > SQL_MAX_DSN_LENGTH) return not_installed(*given);

        owned_connection link(new connection);
        SQLHANDLE const database = link->database->value;
        if (database == SQL_NULL_HANDLE) return outcome_type::error("connection error", "out of memory");
        auto const timeout_attribute = number(seconds_left());
        SQLSetConnectAttrW(database, SQL_ATTR_LOGIN_TIMEOUT, timeout_attribute, 0);
        SQLSetConnectAttrW(database, SQL_ATTR_CONNECTION_TIMEOUT, timeout_attribute, 0);
        // FreeTDS takes a brace that nothing follows for a part of the value, and a second ';' for a part of the keyword.
        auto in = wide(text_.substr(0, text_.find_last_not_of("; \t\r\n") + 1) + ";" + more_(*given));
        auto const code = SQLDriverConnectW(database, nullptr, in.data(), SQL_NTS, nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
        if (!SQL_SUCCEEDED(code)) {
            auto const why = explain(SQL_HANDLE_DBC, database);
            if (is_not_installed(why)) return not_installed(*given);
            return is_late(why) ? timeout() : error("connection error", why);
        }
        link->statement.emplace(database);
        if (link->statement->value == SQL_NULL_HANDLE) return error("connection error", explain(SQL_HANDLE_DBC, database));
        link_ = std::move(link);
        return outcome_type::ok();
    }

    /// Runs the test and reads all that it returns, so that an error in the middle of a result is found.
    std::optional<failure> run(connection& link) {
        SQLHANDLE const statement = link.statement->value;
        if (auto const seconds = seconds_left(); link.query_timeout != seconds) {
            SQLSetStmtAttrW(statement, SQL_ATTR_QUERY_TIMEOUT, number(seconds), 0);
            link.query_timeout = seconds;
        }
        auto sql = wide(settings_.test);
        auto code = SQLExecDirectW(statement, sql.data(), SQL_NTS);
        while (SQL_SUCCEEDED(code) || code == SQL_NO_DATA) {
            SQLSMALLINT columns = 0;
            SQLNumResultCols(statement, &columns);
            if (columns > 0) {
                do code = SQLFetch(statement);
                while (SQL_SUCCEEDED(code) && clock::now() < deadline_);
                if (code != SQL_NO_DATA) break;
            }
            code = SQLMoreResults(statement);
            if (code != SQL_NO_DATA) continue;
            SQLFreeStmt(statement, SQL_CLOSE);
            return std::nullopt;
        }
        auto const why = explain(SQL_HANDLE_STMT, statement);
        SQLFreeStmt(statement, SQL_CLOSE);
        return why;
    }

    /// The state is that of the first record that is not a warning; the text is that of all records.
    failure explain(SQLSMALLINT type, SQLHANDLE which) const {
        constexpr SQLSMALLINT most_records = 8, size = 2048;
        failure found;
        for (SQLSMALLINT i = 1; i <= most_records; ++i) {
            SQLWCHAR state[6] = {}, buffer[size] = {};
            SQLINTEGER native = 0;
            SQLSMALLINT length = 0;  // of the whole text, which may overflow; so it is not used
            if (!SQL_SUCCEEDED(SQLGetDiagRecW(type, which, i, state, &native, buffer, size, &length))) break;
            auto const* const end = std::find(buffer, buffer + size - 1, 0);
            auto text = narrow(buffer, end);
            auto const name = narrow(state, state + 5);
            if (auto const sentence = secrets_.known(text, sentences)) text = *sentence;
            else if (name == "28000") text = "the login was refused";
            else text = secrets_.shown(text);
            if (found.text.find(text) == found.text.npos) found.text += (found.text.empty() ? "" : "\n") + text;
            if (!found.state.empty() && !found.state.starts_with("01")) continue;
            if (!found.state.empty() && name.starts_with("01")) continue;
            found.state = name;
            found.native = native;
        }
        return found;
    }

    // What drivers and servers are known to say.
    static constexpr std::string_view sentences[] = {
        "[unixODBC][Driver Manager]Can't open lib '*' : *",
        "[FreeTDS][SQL Server]Login failed for user '*'.",
        "[FreeTDS][SQL Server]Cannot open database \"*\"*",
        "[FreeTDS][SQL Server]Unable to connect to data source",
        "[FreeTDS][SQL Server]Unable to connect: *",
        "[FreeTDS][SQL Server]Invalid object name '*'.",
        "[ma-*]Access denied for user '*'@'*' (using password: YES)",
        "[ma-*]Access denied for user '*'@'*' (using password: NO)",
        "[ma-*]Unknown database '*'",
        "[ma-*]Can't connect to server on '*' (*)",
        "connection to server at \"*\" (*), port * failed: FATAL:  password authentication failed for user \"*\"\n",
        "connection to server at \"*\", port * failed: FATAL:  password authentication failed for user \"*\"\n",
        "connection to server at \"*\", port * failed: FATAL:  database \"*\" does not exist\n",
        ("connection to server at \"*\", port * failed: Connection refused\n\tIs the server running on that host and accepting "
         "TCP/IP connections?\n"),
    };

    // unixODBC calls a driver that it cannot load a warning.
    static bool is_not_installed(failure const& f) {
        return f.state.starts_with("IM") || f.text.find("[Driver Manager]Can't open lib") != f.text.npos;
    }

    // Not in the driver manager's words, which quote what stands in the place of a name. That may be anything.
    outcome_type not_installed(detail::odbc_string const& given) const {
        auto const who = settings_.connection_string.name("connection_string");
        auto const driver = given["driver"];
        if (!driver.empty() && driver.find('=') == driver.npos)
            return outcome_type::failed(who + " names the ODBC driver '" + driver + "', which cannot be loaded");
        return outcome_type::failed(who + " names no ODBC driver or data source that is installed");
    }

    static outcome_type error(std::string_view message, failure const& f) {
        char json[960];
        char* out = healthz::detail::copy_text(R"({"sqlstate":")", json);
        out = healthz::escape_json(f.state, out, out + 32);
        out = healthz::detail::copy_text(R"(","native":)" + std::to_string(f.native) + R"(,"text":")", out);
        out = healthz::escape_json(f.text, out, json + sizeof json - 2);
        out = healthz::detail::copy_text("\"}", out);
        return outcome_type::error(message, json_text{{json, static_cast<std::size_t>(out - json)}});
    }

    odbc const settings_;
    addition const more_;
    clock::time_point deadline_;
    clock::time_point driver_deadline_;
    std::string text_;
    secrets secrets_;
    owned_connection link_;
};

}  // namespace healthz
