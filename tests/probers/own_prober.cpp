// SPDX-License-Identifier: BSL-1.0
// A prober of one's own, as a reader of include/healthz/probers/README.md would write it, and the conformance suite on it.
#include <healthz/net/connection.hpp>
#include <healthz/net/connect.hpp>
#include <healthz/hosted/redact.hpp>
#include <healthz/hosted/setting.hpp>
#include "../conformance/conformance.hpp"
#include "../environment.hpp"
#include "redis_server.hpp"
#include "support.hpp"

/// OK when the key-value store at `address` (`host port`) answers PING, after a login with `password`.
struct store {
    healthz::setting address;
    healthz::setting password;

    using outcome_type = healthz::basic_outcome<512>;
    class session;
};

class store::session {
public:
    explicit session(store const& settings) : settings_(settings) {}

    boost::asio::awaitable<outcome_type> probe() {
        std::string problem;
        auto const where = settings_.address.read("address", problem);
        if (!where) co_return outcome_type::failed(problem);
        auto const secret = settings_.password.read("password", problem);
        if (!secret) co_return outcome_type::failed(problem);
        auto const space = where->find(' ');
        if (space == where->npos) co_return outcome_type::failed(settings_.address.name("address") + " is not of the form 'host port'");

        if (*where != where_ || (link_ && !link_->is_idle())) link_.reset();
        where_ = *where;
        auto link = std::move(link_);  // an attempt that is given up takes it along
        if (!link) {
            healthz::connected opened = co_await healthz::connect(where->substr(0, space), where->substr(space + 1));
            if (!opened.socket) co_return outcome_type::error(opened.message, opened.problem);
            link = std::make_unique<healthz::connection>(std::move(*opened.socket));
            std::string const answer = co_await ask(*link, "AUTH monitor " + *secret + "\r\n");
            if (answer != "+OK\r\n") co_return describe("login refused", answer, *secret);
        }
        std::string const answer = co_await ask(*link, "PING\r\n");
        if (answer != "+PONG\r\n") co_return describe("unexpected answer", answer, *secret);
        link_ = std::move(link);
        co_return outcome_type::ok();
    }

private:
    /// As much of the answer as an outcome has room for; empty where the connection ends.
    static boost::asio::awaitable<std::string> ask(healthz::connection& link, std::string const& command) {
        boost::system::error_code ec;
        char room[500];
        co_await link.write(boost::asio::buffer(command), ec);
        std::size_t const count = co_await link.read_some(boost::asio::buffer(room), ec);
        co_return std::string(room, count);
    }

    static outcome_type describe(char const* message, std::string const& answer, std::string const& password) {
        if (answer.empty()) return outcome_type::error("connection error", "the server ended the connection");
        return outcome_type::error(message, healthz::secrets{password}.shown(answer));
    }

    store const& settings_;
    std::string where_;
    std::unique_ptr<healthz::connection> link_;
};

// What it has to do, fault by fault.
constexpr char const* expected = R"(
| fault | probers | verdict | message | quotes | told |
|---|---|---|---|---|---|
| none | store | OK | - | - | at once |
| refused | store | ERROR | connection error | `Connection refused` | at once |
| name does not resolve | store | ERROR | name not resolved | - | at once |
| SYN never answered | store | TIMEOUT | - | - | at the deadline |
| accepted, then silent | store | TIMEOUT | - | - | at the deadline |
| stopped in the middle of a query | store | TIMEOUT | - | - | at the deadline |
| goes on after it was stopped | store | OK | - | - | within one cycle |
| kept connection goes silent, new ones work | store | OK | - | - | within one cycle |
| wrong password | store | ERROR | login refused | `WRONGPASS` | at once |
| query or protocol error | store | ERROR | login refused | `HTTP/1.1 400` | at once |
| killed during a query | store | ERROR | connection error | - | at once |
| restarted | store | OK | - | - | within one cycle |
| 1,000 cycles | store | OK | - | - | at once |
| 1,000 cycles refused | store | ERROR | connection error | - | at once |
)";

// How the suite reaches it and its real server.
class store_subject {
public:
    static constexpr char const* name = "store";
    static constexpr store prober{.address = healthz::env(test::place_variable), .password = healthz::env("STORE_PASSWORD")};
    static constexpr std::chrono::milliseconds deadline{300};
    static constexpr char const* secret = test::redis_server::password;

    std::string place() {
        ::setenv("STORE_PASSWORD", secret, 1);
        server_.start();
        return place_at("127.0.0.1", server_.port());
    }
    std::string place_at(std::string const& host, std::string const& port) const { return host + " " + port; }
    void kill() { server_.kill(); }
    void sigstop() { server_.sigstop(); }
    void sigcont() { server_.sigcont(); }
    int connections() const { return server_.connections(); }

    std::string port() const { return server_.port(); }
    std::string wrong_password() {
        auto const where = place();
        test::set_variable("STORE_PASSWORD", "Vq8zKw3xRm4Y");
        return where;
    }
    std::string bad_query() const { return place_at("127.0.0.1", other_.port()); }

private:
    test::redis_server server_;
    test::odd_server other_{test::odd_server::answer("HTTP/1.1 400 Bad Request\r\n\r\n")};
};

TEST_CASE("a prober of one's own passes the conformance suite") {
    test::fault_table const table(expected);
    store_subject subject;
    for (test::observation const& each : test::conformance<store_subject>(subject, table).run()) {
        INFO(each.fault << ": " << each.seen);
        CHECK(each.complaint == "");
    }
}

namespace {

// One that gets nothing right: it blocks the loop, tells its password, and takes every answer for a good one.
struct careless {
    static constexpr bool blocking = false;
    healthz::basic_outcome<512> probe() const {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return healthz::basic_outcome<512>::error("cannot log in", "AUTH Vq8zKw3x");
    }
};
class careless_subject {
public:
    static constexpr char const* name = "careless";
    static constexpr careless prober{};
    static constexpr std::chrono::milliseconds deadline{300};
    static constexpr char const* secret = "Vq8zKw3x";
    std::string place() const { return "somewhere"; }
    std::string place_at(std::string const&, std::string const&) const { return "elsewhere"; }
};

}  // namespace

TEST_CASE("the conformance suite notices what is wrong") {
    test::fault_table const table(R"(
| none | careless | OK | - | - | at once |
| refused | careless | ERROR | cannot log in | `Connection refused` | at once |
| accepted, then silent | careless | TIMEOUT | - | - | at the deadline |
| restarted | careless | OK | - | - | within one cycle |
| no such fault | careless | OK | - | - | at once |
)");
    careless_subject subject;
    auto const all = test::conformance<careless_subject>(subject, table).run();
    REQUIRE(all.size() == 5);
    for (auto const& each : all) CHECK_FALSE(each.complaint.empty());
    CHECK_THAT(all[0].complaint, test::contains("expected: OK at once") && test::contains("leaked: Vq8z"));
    CHECK_THAT(all[1].complaint, test::contains("not quoted: Connection refused"));
    CHECK_THAT(all[2].complaint, test::contains("expected: TIMEOUT at the deadline"));
    CHECK_THAT(all[3].complaint, test::contains("cannot arrange"));
}
