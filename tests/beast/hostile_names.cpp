// SPDX-License-Identifier: BSL-1.0
// All that a user of the runner and the endpoint writes lies in a namespace whose functions have the names of ours. That
// this compiles is the test.
#include "../catch.hpp"
#include "../hostile_names.hpp"
#include "client.hpp"
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/asio/on_worker.hpp>
#include <healthz/beast/endpoint.hpp>
#include <healthz/beast/server.hpp>

#include <boost/beast/http/string_body.hpp>

#include <atomic>
#include <thread>

namespace hostile {

namespace http = boost::beast::http;
namespace net = boost::asio;

struct immediate {
    healthz::outcome probe(healthz::attempt) { return healthz::error("no route"); }
};
struct callable {
    static constexpr bool blocking = false;
    healthz::outcome operator()() const { return healthz::ok(); }
};
struct coroutine {
    struct session {
        explicit session(coroutine const&) {}
        net::awaitable<healthz::outcome> probe(healthz::attempt) {
            auto job = [] { return job_result{healthz::ok()}; };
            job_result const done = co_await healthz::on_worker(std::move(job));
            co_return done.found;
        }
    };
    struct job_result {
        healthz::outcome found;
    };
};
struct cooperative {
    void start() {}
    std::optional<healthz::outcome> poll() { return healthz::ok(); }
    void cancel() {}
};

constexpr healthz::health_check often{.interval = 100ms, .retries = 0};
inline constexpr auto declared = healthz::sources(
    healthz::source<"immediate">(immediate{}, often), healthz::source<"callable">(callable{}, often),
    healthz::source<"coroutine">(coroutine{}, {.interval = 100ms, .retries = 0, .rise = 2}),
    healthz::source<"cooperative">(cooperative{}, often), healthz::source<"inverted">(healthz::inverted(immediate{}), often),
    healthz::source<"all">(healthz::all_of(callable{}, coroutine{}, cooperative{}), often),
    healthz::source<"any">(healthz::any_of(immediate{}, healthz::inverted(coroutine{}), callable{}), often),
    healthz::source<"none">(healthz::any_of(immediate{}, healthz::all_of(callable{}, immediate{})), often),
    healthz::source<"dependent">(healthz::depends_on<"immediate">(coroutine{}), often), healthz::source<"slot">(healthz::bound<>{}, often),
    healthz::source<"beside">(healthz::depends_on<"coroutine">(healthz::all_of(coroutine{}, immediate{})), often));

inline constexpr auto declared_count = healthz::size_of<declared>;

struct policy {
    bool needs_secret() const { return true; }
    bool accepts(std::string_view secret) const { return secret == "s3cret"; }
    std::string problem() const { return {}; }
};
struct body : http::string_body {};
struct fields : http::fields {};

struct on_verdict {
    std::atomic<unsigned>& known;
    template <class Report>
    void operator()(Report const& report, std::size_t) const {
        known = static_cast<unsigned>(report.size() - report.pending());
    }
};
struct on_listening {
    std::atomic<std::uint16_t>& port;
    void operator()(net::ip::tcp::endpoint const& where) const { port = where.port(); }
};
struct sink {
    std::string& text;
    void operator()(std::string_view piece) const { text += piece; }
};

}  // namespace hostile

TEST_CASE("no function of the user's takes the place of one of ours, in an endpoint") {
    namespace http = boost::beast::http;
    healthz::shared_document document;
    document.update(healthz::report<hostile::declared>());
    healthz::beast::endpoint const endpoint(document, hostile::policy{});
    http::request<hostile::body, hostile::fields> request;
    request.method(http::verb::get);
    request.target("/healthz/sources");
    CHECK(endpoint.owns("/healthz/sources"));
    CHECK(endpoint(request).result_int() == 401);
    request.set("X-Hasura-Admin-Secret", "s3cret");
    CHECK(endpoint(request).result_int() == 200);

    std::string text;
    healthz::report<hostile::declared> const report;
    auto const answer = healthz::respond({.method = "GET", .target = "/healthz/sources"}, report, hostile::policy{});
    healthz::write_response(answer, report, hostile::sink{text});
    CHECK(text.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
}

TEST_CASE("no function of the user's takes the place of one of ours, in a server") {
    std::atomic<std::uint16_t> port = 0;
    std::atomic<unsigned> known = 0;
    healthz::beast::server<hostile::declared> server({.port = 0,
                                                      .auth = hostile::policy{},
                                                      .handle_signals = false,
                                                      .on_listening = hostile::on_listening{port},
                                                      .on_verdict = hostile::on_verdict{known}});
    std::thread thread([&server] { server.run(); });
    auto const end = [&](void const*) { server.stop(), thread.join(); };
    std::unique_ptr<void, decltype(end)> const at_the_end(&server, end);
    REQUIRE(eventually([&] { return port != 0 && known == hostile::declared_count; }));
    server.runner().maintenance<"callable">(true);
    server.runner().report<"immediate">(healthz::error("found out"));
    server.runner().bind<"slot">(hostile::immediate{});
    server.runner().unbind<"slot">();
    client user(port);
    CHECK(user.ask(request()).status == 401);
    CHECK(user.ask(request("GET", "/healthz/sources", "X-Hasura-Admin-Secret: guess\r\n")).status == 401);
    std::string document;
    auto const shows = [&](std::string const& name, char const* with) { return document.find('"' + name + with) != document.npos; };
    bool const as_expected = eventually([&] {  // the first check of what depends on others may have been before theirs
        auto const answer = user.ask(request("GET", "/healthz/sources", "X-Hasura-Admin-Secret: s3cret\r\n"));
        document = answer.body;
        bool all = answer.status == 200;
        for (auto const* ok : {"coroutine", "cooperative", "inverted", "all", "any"}) all &= shows(ok, R"(":{"error":null,"status":"OK")");
        for (auto const* ill : {"immediate", "none", "dependent", "beside"}) all &= shows(ill, R"(":{"error":{"message":)");
        return all;
    });
    INFO(document);
    CHECK(as_expected);
}

TEST_CASE("no function of the user's takes the place of one of ours, in a runner and a listener") {
    boost::asio::io_context context;
    std::atomic<unsigned> known = 0;
    healthz::runner<hostile::declared> runner(context.get_executor(), hostile::on_verdict{known});
    healthz::shared_document const document;
    healthz::beast::limits const limits;
    auto const listener =
        std::make_shared<healthz::beast::detail::listener>(context, document_server(document, hostile::policy{}, "/"), limits);
    boost::system::error_code ec;
    listener->listen({boost::asio::ip::make_address("127.0.0.1"), 0}, ec);
    REQUIRE(!ec);
    runner.start();
    CHECK(eventually([&] { return context.poll(), known == hostile::declared_count; }));
    runner.stop();
    listener->stop([] {});
    context.run();
}
