// SPDX-License-Identifier: BSL-1.0
// The server over TLS and on unix sockets, as curl and OpenSSL see it, and at several places at once.
#include "../probers/certificates.hpp"
#include "client.hpp"
#include "memory.hpp"
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/beast/tls.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <fstream>
#include <thread>

namespace net = boost::asio;

namespace {

constexpr auto always = [] { return healthz::ok(); };
constexpr auto told = healthz::sources(healthz::source<"orders">(always, {.interval = 1h}));

/// A folder with what the server and its clients need, all of it for them alone.
class folder {
public:
    folder() {
        char pattern[] = "/tmp/healthz_tls_XXXXXX";
        if (::mkdtemp(pattern) == nullptr) throw std::runtime_error("no folder");
        path_ = pattern;
        write("ca.pem", trusted.text());
        issue();
        auto const client = trusted.issue("DNS:client");
        write("client.pem", client.text);
        write("client.key", client.key);
        write("other_ca.pem", test::authority("another authority").text());
    }
    ~folder() { std::filesystem::remove_all(path_); }

    /// Replaces the server's certificate and its key, each as a whole.
    void issue() {
        auto const made = trusted.issue();
        write("server.pem", made.text);
        write("server.key", made.key);
    }
    void write(std::string const& name, std::string const& text) {
        std::ofstream(path_ + "/new") << text;
        std::filesystem::rename(path_ + "/new", path_ + "/" + name);
    }
    std::string operator/(std::string const& name) const { return path_ + "/" + name; }

    test::authority const trusted;

private:
    std::string path_;
};

// A declaration takes texts that stay where they are.
std::string certificate_path, key_path, ca_path;
healthz::beast::tls tls_of(folder const& f, bool asks_clients = false) {
    certificate_path = f / "server.pem", key_path = f / "server.key", ca_path = f / "ca.pem";
    healthz::beast::tls files{.certificate = certificate_path.c_str(), .key = key_path.c_str()};
    if (asks_clients) files.client_ca = ca_path.c_str();
    return files;
}

class running {
public:
    explicit running(healthz::beast::options how)
        : server_(std::move(how)), thread_([this] {
              code = server_.run();
              ended = true;
          }) {
        eventually([this] { return ended || is_ready(); });
        port = std::to_string(server_.local_endpoint().port());
    }
    ~running() { stop(); }
    void stop() {
        server_.stop();
        if (thread_.joinable()) thread_.join();
    }

    std::string port;
    std::atomic<int> code = -1;
    std::atomic<bool> ended = false;

private:
    bool is_ready() const {
        return server_.site()("GET", "/readyz", "", [](std::string_view) { return std::optional<std::string>(); }).status == 200;
    }

    healthz::beast::server<told> server_;
    std::thread thread_;
};

healthz::beast::options open_options() { return {.port = 0, .auth = healthz::allow_unauthenticated{}}; }
healthz::beast::options over_tls(folder const& f, bool asks_clients = false) {
    auto how = open_options();
    how.transport = tls_of(f, asks_clients);
    return how;
}

std::string curl(std::string const& arguments) { return output_of("curl -s --max-time 20 -w ' %{http_code}' " + arguments + " 2>&1"); }
std::string s_client(std::string const& port, std::string const& arguments) {
    return output_of("openssl s_client -connect 127.0.0.1:" + port + " " + arguments + " </dev/null 2>&1");
}

/// A client that keeps its connection.
class kept_tls {
public:
    explicit kept_tls(std::string const& port) : context_(net::ssl::context::tls_client), stream_(io_, context_) {
        stream_.next_layer().connect({net::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(std::stoul(port))});
        stream_.handshake(net::ssl::stream_base::client);
    }
    std::string status_of(std::string const& text) {
        net::write(stream_, net::buffer(text));
        std::string answer;
        while (answer.find("\r\n\r\n") == answer.npos) {
            char buffer[4096];
            answer.append(buffer, stream_.read_some(net::buffer(buffer)));
        }
        return answer.substr(0, answer.find('\r'));
    }
    long serial() {
        auto* const shown = SSL_get1_peer_certificate(stream_.native_handle());
        auto const number = ASN1_INTEGER_get(X509_get0_serialNumber(shown));
        X509_free(shown);
        return number;
    }

private:
    net::io_context io_;
    net::ssl::context context_;
    net::ssl::stream<net::ip::tcp::socket> stream_;
};

}  // namespace

TEST_CASE("tls: curl and OpenSSL are answered, by TLS 1.2 and 1.3, and by nothing older") {
    folder const f;
    running const server(over_tls(f));
    auto const at = "https://localhost:" + server.port;
    CHECK(curl("--cacert " + (f / "ca.pem") + " " + at + "/readyz") == "ok 200");
    CHECK(curl("--cacert " + (f / "ca.pem") + " " + at + "/healthz/sources/orders").starts_with(R"({"error":null,"status":"OK")"));
    CHECK(curl("--cacert " + (f / "ca.pem") + " -H 'Accept: text/html' " + at + "/healthz/page").find("<!doctype html>") == 0);
    CHECK(curl("--cacert " + (f / "ca.pem") + " -I " + at + "/healthz/sources").starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(curl("--cacert " + (f / "other_ca.pem") + " " + at + "/readyz") == " 000");
    for (char const* const version : {"-tls1_2", "-tls1_3"}) {
        auto const seen = s_client(server.port, std::string(version) + " -alpn h2,http/1.1");
        CHECK(seen.find("ALPN protocol: http/1.1") != seen.npos);
    }
    for (char const* const version : {"-tls1", "-tls1_1"})
        CHECK(s_client(server.port, std::string(version) + " -cipher DEFAULT@SECLEVEL=0").find("Cipher is (NONE)") != std::string::npos);
    CHECK(curl("http://127.0.0.1:" + server.port + "/readyz") == " 000");  // a client that does not speak it
    CHECK(curl("--cacert " + (f / "ca.pem") + " " + at + "/readyz") == "ok 200");
}

TEST_CASE("tls: requests in a row, pipelined, and a close that is orderly") {
    folder const f;
    running const server(over_tls(f));
    auto const twice = output_of(
        "printf 'GET /readyz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /livez HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | "
        "timeout 20 openssl s_client -quiet -ign_eof -connect 127.0.0.1:" +
        server.port + " 2>/dev/null");
    CHECK(twice.find("HTTP/1.1 200 OK") != twice.rfind("HTTP/1.1 200 OK"));
    CHECK(twice.ends_with("ok"));
    auto const closed = output_of(
        "printf 'GET /readyz HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | timeout 20 openssl s_client -msg -ign_eof -connect 127.0.0.1:" +
        server.port + " 2>&1");
    CHECK(closed.find("close_notify") != closed.npos);
    kept_tls kept(server.port);
    for (int i = 0; i < 20; ++i) CHECK(kept.status_of(request("GET", "/readyz")) == "HTTP/1.1 200 OK");
    CHECK(kept.status_of(request("GET", "/nowhere")) == "HTTP/1.1 404 Not Found");
}

TEST_CASE("tls: a renewed certificate is used for new connections, and none is dropped; what is of no use is not") {
    folder f;
    notes errors;
    auto how = over_tls(f);
    how.on_error = [&](std::string_view what) { errors.add(std::string(what)); };
    running const server(std::move(how));
    kept_tls before(server.port);
    auto const serial = before.serial();
    f.issue();
    CHECK(eventually([&] { return kept_tls(server.port).serial() != serial; }));
    CHECK(before.status_of(request("GET", "/readyz")) == "HTTP/1.1 200 OK");
    auto const renewed = kept_tls(server.port).serial();
    f.write("server.key", "nonsense");
    CHECK(eventually([&] {
        CHECK(kept_tls(server.port).serial() == renewed);
        return !errors.all().empty();
    }));
    std::this_thread::sleep_for(1200ms);
    CHECK(kept_tls(server.port).serial() == renewed);
    f.issue();
    CHECK(eventually([&] { return kept_tls(server.port).serial() != renewed; }));
    REQUIRE(errors.all().size() == 1);  // told once
    CHECK(errors.all()[0].find("server.key' is no usable file: ") != std::string::npos);
    CHECK(errors.all()[0].ends_with("; what was read before stays in use"));
}

TEST_CASE("tls: an offered secret is gone when its request has been answered") {
    folder const f;
    auto how = over_tls(f);
    static std::atomic<void const*> stack = nullptr;  // of the thread that answers
    struct policy {
        static bool needs_secret() { return true; }
        static bool accepts(std::string_view) {
            char const here = 0;
            stack = &here;
            return false;
        }
    };
    how.auth = policy();
    std::atomic<int> refused = 0;
    how.on_refused = [&](healthz::beast::refused const& each) { refused += static_cast<int>(each.count); };
    running const server(std::move(how));
    auto const masked = test::masked_secret(4);
    // The client is another process.
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const client(
        ::popen(("openssl s_client -quiet -connect 127.0.0.1:" + server.port + " >/dev/null 2>&1").c_str(), "we"), ::pclose);
    REQUIRE(client);
    static std::array<char, 8000> bytes;
    int sent = 0;
    for (std::size_t padding : {0u, 6000u}) {
        char* end = healthz::detail::copy_text("GET /healthz/sources HTTP/1.1\r\nHost: a\r\nX-Hasura-Admin-Secret: ", bytes.data());
        end = healthz::detail::copy_text("\r\nX: ", test::unmask(masked, end));
        end = healthz::detail::copy_text("\r\n\r\n", std::fill_n(end, padding, 'x'));
        auto const size = end - bytes.data();
        auto const written = ::write(::fileno(client.get()), bytes.data(), static_cast<std::size_t>(size));
        bytes.fill(0);
        CHECK(written == size);
        ++sent;
        CHECK(eventually([&] { return refused == sent; }));
        CHECK(eventually([&] { return test::found(masked, stack) == 0; }));  // the thread may be about to
    }
}

TEST_CASE("tls: clients must show a certificate where that is asked") {
    folder const f;
    running const server(over_tls(f, true));
    auto const at = " https://localhost:" + server.port + "/readyz", ca = "--cacert " + (f / "ca.pem");
    CHECK(curl(ca + at) == " 000");
    CHECK(curl(ca + " --cert " + (f / "client.pem") + " --key " + (f / "client.key") + at) == "ok 200");
}

TEST_CASE("tls: who does not finish the handshake is closed, and holds up nobody") {
    folder const f;
    auto how = over_tls(f);
    how.limit.request_time = 3s;
    running const server(how);
    client silent(static_cast<std::uint16_t>(std::stoul(server.port)));
    client chatty(static_cast<std::uint16_t>(std::stoul(server.port)));
    chatty.send(std::string(20000, 'x'));
    CHECK(curl("--cacert " + (f / "ca.pem") + " https://localhost:" + server.port + "/readyz") == "ok 200");
    CHECK(silent.rest().empty());
    CHECK(eventually([&] {
        chatty.rest();
        return true;
    }));
}

TEST_CASE("tls: it does not start with files that are of no use, and says why") {
    folder f;
    f.write("server.key", f.trusted.issue().key);  // of another certificate
    running const mismatched(over_tls(f));
    CHECK(eventually([&] { return mismatched.ended.load(); }));
    CHECK(mismatched.code == EXIT_FAILURE);
    auto how = open_options();
    how.transport = healthz::beast::tls{.certificate = "/nowhere/server.pem", .key = "/nowhere/server.key"};
    running const absent(how);
    CHECK(eventually([&] { return absent.ended.load(); }));
    CHECK(absent.code == EXIT_FAILURE);
}

TEST_CASE("tls: what is wrong with a file is told, and never what is in it") {
    folder f;
    auto const problem_with = [&](healthz::setting const& key) {
        net::io_context context;
        certificate_path = f / "server.pem";
        healthz::beast::tls const files{.certificate = certificate_path.c_str(), .key = key};
        try {
            files.listen_by(context, {}, {}, {});
        } catch (std::invalid_argument const& e) {
            return std::string(e.what());
        }
        return std::string("none");
    };
    key_path = f / "server.key";
    std::string const key_text(std::istreambuf_iterator<char>(std::ifstream(key_path).rdbuf()), {});
    CHECK(problem_with(healthz::file(key_path.c_str())) == "none");  // that file, not what is in it
    ::setenv("HEALTHZ_TEST_KEY", key_text.c_str(), 1);
    healthz::read_environment();
    CHECK(problem_with(healthz::env("HEALTHZ_TEST_KEY")) ==
          "the text of environment variable 'HEALTHZ_TEST_KEY' is no path: write the path of a PEM file");
    ::setenv("HEALTHZ_TEST_KEY", key_path.c_str(), 1);
    healthz::read_environment();
    CHECK(problem_with(healthz::env("HEALTHZ_TEST_KEY")) == "none");
    ::unsetenv("HEALTHZ_TEST_KEY");

    output_of("openssl genrsa -out " + (f / "rsa.key") + " 2048 2>&1");  // of another kind than the certificate
    std::string const rsa = f / "rsa.key", locked = f / "locked.key", fifo = f / "fifo", none = f / "none";
    CHECK(problem_with(rsa.c_str()).starts_with("'" + rsa + "' is no usable file: "));
    output_of("openssl ec -in " + key_path + " -out " + locked + " -aes128 -passout pass:x 2>&1");
    CHECK(problem_with(locked.c_str()).starts_with("'" + locked + "' is no usable file: "));  // and nobody is asked on a terminal
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(problem_with(fifo.c_str()) == "'" + fifo + "' is no usable file: no regular file");
    CHECK(problem_with(none.c_str()) == "'" + none + "' is no usable file: No such file or directory");
    CHECK(problem_with(healthz::setting()) == "the setting 'tls.key' is not set");
}

TEST_CASE("a server that ends leaves the unix socket of its successor alone") {
    folder const f;
    auto how = open_options();
    how.address = "unix:" + (f / "healthz.sock");
    auto const ask = [&] { return curl("--unix-socket " + (f / "healthz.sock") + " http://localhost/readyz"); };
    std::optional<running> first(std::in_place, how);
    CHECK(ask() == "ok 200");
    std::filesystem::rename(f / "healthz.sock", f / "moved.sock");
    running const second(how);
    CHECK(ask() == "ok 200");
    first.reset();
    CHECK(ask() == "ok 200");
    CHECK(!std::filesystem::exists(f / "healthz.sock.lock"));
}

TEST_CASE("a server tells each place where it listens") {
    folder const f;
    notes places;
    auto how = open_options();
    how.also = {{.address = "unix:" + (f / "a.sock")}};
    how.on_listening = [&](healthz::beast::bound_place const& where) {
        std::ostringstream text;
        text << where;
        places.add(text.str());
    };
    running const server(std::move(how));
    CHECK(eventually([&] { return places.all().size() == 2; }));
    CHECK(places.all() == std::vector<std::string>{"127.0.0.1:" + server.port, "unix:" + (f / "a.sock")});
}

TEST_CASE("a unix socket has its permissions, makes way for nobody, and goes with its server") {
    folder const f;
    auto how = open_options();
    how.address = "unix:" + (f / "healthz.sock");
    how.mode = 0620;
    auto const ask = [&] { return curl("--unix-socket " + (f / "healthz.sock") + " http://localhost/readyz"); };
    {
        running const server(how);
        CHECK(ask() == "ok 200");
        struct stat now {};
        CHECK(::stat((f / "healthz.sock").c_str(), &now) == 0);
        CHECK((now.st_mode & 0777) == 0620);
        running const second(how);
        CHECK(eventually([&] { return second.ended.load(); }));
        CHECK(second.code == EXIT_FAILURE);
        CHECK(ask() == "ok 200");
    }
    CHECK(!std::filesystem::exists(f / "healthz.sock"));
    int const left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);  // of a server that was killed
    net::local::stream_protocol::endpoint const where(f / "healthz.sock");
    REQUIRE(::bind(left, where.data(), static_cast<socklen_t>(where.size())) == 0);
    ::close(left);
    {
        running const server(how);
        CHECK(ask() == "ok 200");
    }
    std::ofstream(f / "healthz.sock") << "a file of somebody's";
    running const refused(how);
    CHECK(eventually([&] { return refused.ended.load(); }));
    CHECK(refused.code == EXIT_FAILURE);
    CHECK(std::filesystem::file_size(f / "healthz.sock") == 20);
    how.address = "unix:/tmp/" + std::string(200, 'x');
    running const too_long(how);
    CHECK(eventually([&] { return too_long.ended.load(); }));
}

TEST_CASE("a server at several places shows what each is for") {
    folder const f;
    auto how = over_tls(f);
    how.also = {{.address = "unix:" + (f / "probes.sock"), .shown = healthz::access::open}, {.address = "127.0.0.1", .port = 0}};
    running const server(how);
    CHECK(curl("--cacert " + (f / "ca.pem") + " https://localhost:" + server.port + "/metrics").find("healthz_build_info") !=
          std::string::npos);
    auto const probes = "--unix-socket " + (f / "probes.sock") + " http://localhost";
    CHECK(curl(probes + "/readyz") == "ok 200");
    CHECK(curl(probes + "/metrics").ends_with(" 404"));
    CHECK(curl(probes + "/healthz/sources").ends_with(" 404"));
}
