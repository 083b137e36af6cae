// SPDX-License-Identifier: BSL-1.0
// Users and passwords in files: changed on the server and in the file, they need no restart, and are never shown.
#include <healthz/probers/http.hpp>
#include <healthz/probers/mqtt.hpp>
#include <healthz/probers/mssql.hpp>
#include <healthz/probers/mysql.hpp>
#include <healthz/probers/odbc.hpp>
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/redis.hpp>
#include "../tds/responder.hpp"
#include "mosquitto_server.hpp"
#include "mysql_server.hpp"
#include "nginx_server.hpp"
#include "odbc_support.hpp"
#include "postgres_server.hpp"
#include "redis_server.hpp"
#include "support.hpp"

#include <healthz/hosted/login.hpp>
#include <healthz/sha256.hpp>

#include <filesystem>
#include <fstream>

using namespace test;

namespace {

/// Two files that only this process reads.
class secret_files {
public:
    secret_files() {
        char pattern[] = "/tmp/healthz_login_XXXXXX";
        if (::mkdtemp(pattern) == nullptr) throw std::runtime_error("no folder");
        folder_ = pattern;
        user = folder_ + "/user", password = folder_ + "/password";
    }
    ~secret_files() { std::filesystem::remove_all(folder_); }
    secret_files(secret_files const&) = delete;
    secret_files& operator=(secret_files const&) = delete;

    static void write(std::string const& path, std::string const& text) {
        std::ofstream(path + ".new") << text << '\n';
        std::filesystem::rename(path + ".new", path);
    }

    std::string user, password;

private:
    std::string folder_;
};

template <class Prober>
class asked {
public:
    explicit asked(Prober const& settings) : settings_(settings), session_(settings_) {}
    std::string operator()() {
        if constexpr (requires { session_.probe(healthz::attempt{20s}).json(); }) {
            auto const found = session_.probe(healthz::attempt{20s});
            return std::string(to_string(found.status())) + " " + std::string(found.json());
        } else {
            return probe(context_, session_);
        }
    }

private:
    Prober const settings_;
    net::io_context context_;
    healthz::session_of<Prober> session_;
};

/// `change` sets the password of the user `monitor` on the server, or nothing where there is none. One session lives through all of it.
template <class Prober>
void follows(Prober const& settings, secret_files const& files, std::function<void(std::string const&)> const& change) {
    asked<Prober> ask(settings);
    std::string const odd = "p@s s/:%'}\"\\=;?#";
    secret_files::write(files.user, "monitor");
    secret_files::write(files.password, "Vq8zKw3x");
    CHECK(ask() == "OK null");
    CHECK(ask() == "OK null");
    if (change) {
        for (auto const& password : {std::string("Hm3tYb7N"), odd, std::string("Vq8zKw3x")}) {
            INFO(password);
            change(password);
            secret_files::write(files.password, password);
            CHECK(ask() == "OK null");
        }
    }
    for (auto const& wrong : {std::string("Qx4LpW9s"), odd}) {
        secret_files::write(files.password, wrong);
        auto const refused = ask();
        CHECK(refused.starts_with("ERROR "));
        CHECK(refused.find(wrong) == refused.npos);
        CHECK(refused.find(healthz::detail::percent_encode(wrong)) == refused.npos);
    }
    std::filesystem::remove(files.password);
    CHECK(ask() == "FAILED \"file '" + files.password + "': No such file or directory\"");
    secret_files::write(files.password, "Vq8zKw3x");
    CHECK(ask() == "OK null");
    secret_files::write(files.user, "nobody");
    CHECK(ask().starts_with("ERROR "));
    std::filesystem::remove(files.user);
    CHECK(ask() == "FAILED \"file '" + files.user + "': No such file or directory\"");
}

std::string in_quotes(std::string const& text) {
    std::string result = "'";
    for (char const c : text) (c == '\'' ? result += '\'' : result) += c;
    return result += "'";
}

}  // namespace

TEST_CASE("logins: a user and a password take the place of those in a connection string") {
    using healthz::detail::login;
    login const both{"us:er", "p@/%"}, user{"other", std::nullopt}, password{std::nullopt, "new"}, none;
    CHECK(both.put_into_url("redis://host:1/2?a#b") == "redis://us%3Aer:p%40%2F%25@host:1/2?a#b");
    CHECK(both.put_into_url("redis://a:b@host") == "redis://us%3Aer:p%40%2F%25@host");
    CHECK(user.put_into_url("redis://a:b@host/@") == "redis://other:b@host/@");
    CHECK(user.put_into_url("redis://host") == "redis://other@host");
    CHECK(password.put_into_url("redis://a:b@host") == "redis://a:new@host");
    CHECK(password.put_into_url("redis://a@host") == "redis://a:new@host");
    CHECK(password.put_into_url("redis://host") == "redis://:new@host");
    CHECK(none.put_into_url("redis://a:b@host") == "redis://a:b@host");
    CHECK(both.put_into_url("no url") == "no url");
    CHECK(login{"a}b", "c;d"}.put_into_odbc("Driver={x}") == "UID={a}}b};PWD={c;d};Driver={x}");
    CHECK(login{"monitor", "Vq8z"}.put_into_odbc("DSN=x; ;") == "UID=monitor;PWD=Vq8z;DSN=x; ;");
    auto const left = [](login const& with, std::string const& text) {
        return healthz::detail::odbc_string::parse(text)->without(text, with.odbc_keywords());
    };
    CHECK(left(both, "Uid=a;Driver={x};pwd = {b;}}c} ;Port=1;PASSWORD=d") == "Driver={x};Port=1;");
    CHECK(left(user, "Driver={x}; UID=a;PWD=b") == "Driver={x}; PWD=b");
    CHECK(left(password, "Driver={x};UID=a;PWD=b") == "Driver={x};UID=a;");
    CHECK(left(none, " Driver={x};UID=a") == " Driver={x};UID=a");
    CHECK(none.put_into_odbc("DSN=x") == "DSN=x");
}

TEST_CASE("logins: libpq's strings end as they like, and may have a user and a password anywhere") {
    healthz::detail::login const given{"us:e'r", "p@/% \\"};
    for (auto const* text : {"host=h dbname=", "host=h dbname=a\\", "host=h password=x://y", "host=h user=a password=b", "postgresql://h",
                             "postgresql://a:b@h", "postgresql://h?user=c&password=d", "postgres://a?b:c@h"}) {
        INFO(text);
        auto const read = healthz::detail::conninfo::parse(text, given);
        REQUIRE(read);
        CHECK(read->get("host") == "h");
        CHECK(read->get("user") == given.user);
        CHECK(read->get("password") == given.password);
    }
}

TEST_CASE("logins: postgres, by a URL and by keywords") {
    static postgres_server server;
    server.start();
    auto const port = std::to_string(server.port());
    for (auto const& url :
         {"postgresql://127.0.0.1:" + port + "/postgres", "postgresql://a:b@127.0.0.1:" + port + "/postgres?user=c&password=d",
          "host=127.0.0.1 port=" + port + " dbname=postgres"}) {
        INFO(url);
        secret_files const files;
        // The tests themselves are this user, too: they have a way in of their own.
        follows(
            healthz::postgres{
                .url = url.c_str(), .user = healthz::file(files.user.c_str()), .password = healthz::file(files.password.c_str())},
            files, nullptr);
    }
    server.value("CREATE ROLE changing LOGIN PASSWORD 'one'");
    secret_files const files;
    auto const url = "postgresql://changing@127.0.0.1:" + port + "/postgres";
    asked ask(healthz::postgres{.url = url.c_str(), .password = healthz::file(files.password.c_str())});
    for (auto const* password : {"one", "t w'o\\", "thr%ee"}) {
        server.value("ALTER ROLE changing PASSWORD " + in_quotes(password));
        secret_files::write(files.password, password);
        CHECK(ask() == "OK null");
    }
}

TEST_CASE("logins: mysql") {
    static mysql_server server;
    server.start();
    secret_files const files;
    auto const url = "mysql://127.0.0.1:" + server.port() + "/shop";
    auto const change = [](std::string const& password) {
        std::string quoted = "'";
        for (char const c : password) (c == '\'' || c == '\\' ? quoted += '\\' : quoted) += c;
        server.value("ALTER USER monitor IDENTIFIED BY " + quoted + "'");
    };
    follows(
        healthz::mysql{.url = url.c_str(), .user = healthz::file(files.user.c_str()), .password = healthz::file(files.password.c_str())},
        files, change);
}

TEST_CASE("logins: redis") {
    static redis_server server;
    server.start();
    secret_files const files;
    auto const url = "redis://127.0.0.1:" + server.port();
    auto const change = [](std::string const& password) {  // by its digest, which no shell reads in another way
        std::string digits;
        for (auto const byte : healthz::sha256(password)) {
            char text[3];
            std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(byte));
            digits += text;
        }
        server.call("ACL SETUSER monitor resetpass '#" + digits + "'");
    };
    follows(
        healthz::redis{.url = url.c_str(), .user = healthz::file(files.user.c_str()), .password = healthz::file(files.password.c_str())},
        files, change);
}

TEST_CASE("logins: mqtt") {
    static mosquitto_server server;
    server.start();
    secret_files const files;
    auto const url = "mqtt://127.0.0.1:" + server.port();
    auto const change = [](std::string const& password) { server.set_password("monitor", password); };
    follows(healthz::mqtt{.url = url.c_str(), .user = healthz::file(files.user.c_str()), .password = healthz::file(files.password.c_str())},
            files, change);
}

TEST_CASE("logins: http") {
    static nginx_server server;
    server.start();
    secret_files const files;
    auto const url = server.url("/private");
    auto const change = [](std::string const& password) { server.set_password(password); };
    follows(healthz::http{.url = url.c_str(), .user = healthz::file(files.user.c_str()), .password = healthz::file(files.password.c_str())},
            files, change);
}

TEST_CASE("logins: odbc and mssql") {
    installed_drivers();
    static postgres_server server;
    server.start();
    secret_files const files;
    auto const text = "Driver={PostgreSQL};Server=127.0.0.1;Port=" + std::to_string(server.port()) + ";Database=postgres";
    auto const with_others = text + ";UID=nobody;PWD=Qx4LpW9s";
    for (auto const& each : {text, with_others})
        follows(healthz::odbc{.connection_string = each.c_str(),
                              .user = healthz::file(files.user.c_str()),
                              .password = healthz::file(files.password.c_str())},
                files, nullptr);

    tds_responder responder;
    auto const there = "Driver={ODBC Driver 18 for SQL Server};Server=127.0.0.1," + std::to_string(responder.port()) +
                       ";Database=" + tds_responder::database + ";Encrypt=no;UID=nobody;PWD=Qx4LpW9t";
    secret_files::write(files.user, tds_responder::user);
    secret_files::write(files.password, tds_responder::password);
    asked ask(healthz::mssql{
        .connection_string = there.c_str(), .user = healthz::file(files.user.c_str()), .password = healthz::file(files.password.c_str())});
    CHECK(ask() == "OK null");
    secret_files::write(files.password, "Qx4LpW9s");
    auto const refused = ask();
    CHECK(refused.starts_with("ERROR "));
    CHECK(refused.find("Qx4LpW9s") == refused.npos);
    secret_files::write(files.password, tds_responder::password);
    CHECK(ask() == "OK null");
}
