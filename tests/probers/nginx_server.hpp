// SPDX-License-Identifier: BSL-1.0
// A real nginx for the tests, with http and https: its own directory and ports, gone when the tests are.
#pragma once

#include "certificates.hpp"
#include "server_process.hpp"

#include <healthz/base64.hpp>

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>

namespace test {

/// Listens on 127.0.0.1, with http at one port and at one more for each certificate that it was given.
class nginx_server {
public:
    nginx_server() {
        std::filesystem::create_directory(process_.path("files"));
        process_.write("users", "monitor:{PLAIN}Vq8zKw3x\n");
        process_.write("ca.pem", trusted_.text());
        process_.write("files/big", std::string(10 * 1024 * 1024, 'x') + "the end");
        process_.write("files/bytes", std::string("gr\xFC\xDF \0 <\x01>", 10));
        std::string const right = "DNS:localhost,IP:127.0.0.1";
        use_certificate("right", trusted_.issue(right));
        use_certificate("elsewhere", trusted_.issue("DNS:shop.example,IP:192.0.2.7"));
        use_certificate("wildcard", trusted_.issue("DNS:l*host"));
        use_certificate("expired", trusted_.issue(right, -1));
        use_certificate("future", trusted_.issue(right, 30, 1));
        use_certificate("ending", trusted_.issue(right, 10));
        use_certificate("foreign", authority("nobody's authority").issue(right));
        start();
    }

    /// Starts the server where it does not run, and waits until it listens.
    void start() {
        if (process_.running()) return;
        process_.write("nginx.conf", configuration());
        process_.start({"/usr/sbin/nginx", "-p", process_.path(""), "-c", "nginx.conf", "-e", "log"},
                       [this] { return open_connections("0A") == 1 + static_cast<int>(https_ports_.size()); });
    }
    void kill() { process_.kill(); }
    void sigstop() { process_.sigstop(); }
    void sigcont() { process_.sigcont(); }

    /// Has the server end idle connections, and read its certificates anew.
    void reload() const { ::kill(std::stoi(text_of("pid")), SIGHUP); }

    /// Of the user `monitor`. nginx reads it at each request.
    void set_password(std::string const& password) const {
        std::array<std::uint8_t, 20> digest{};
        SHA1(reinterpret_cast<unsigned char const*>(password.data()), password.size(), digest.data());
        auto const text = healthz::detail::to_base64(digest);
        process_.write("users", "monitor:{SHA}" + std::string(text.data(), text.size()) + "\n");
    }

    /// Before the start, or with a reload after it.
    void use_certificate(std::string const& name, certificate const& made) {
        process_.write(name + ".pem", made.text);
        process_.write(name + ".key", made.key);
        https_ports_.try_emplace(name);
    }
    authority const& trusted() const { return trusted_; }
    std::string file(std::string const& name) const { return process_.path(name); }

    std::string port() const { return port_.port(); }
    std::string url(std::string const& target, std::string const& host = "127.0.0.1") const {
        return "http://" + host + ":" + port_.port() + target;
    }
    std::string https_url(std::string const& which, std::string const& target = "/ok", std::string const& host = "localhost") const {
        return "https://" + host + ":" + https_ports_.at(which).port() + target;
    }

    /// The connections over which requests for `path` came, one entry a request.
    std::vector<std::string> connections_for(std::string const& path) const {
        std::istringstream lines(text_of("access"));
        std::vector<std::string> found;
        for (std::string connection, uri; lines >> connection >> uri;)
            if (uri == path) found.push_back(connection);
        return found;
    }

    /// How many sockets at the server's ports are in a state: 01 is connected, 0A listens.
    int open_connections(std::string const& wanted = "01") const {
        std::vector<int> ports{port_.number()};
        for (auto const& [name, port] : https_ports_) ports.push_back(port.number());
        return count_sockets(ports, wanted);
    }

private:
    std::string text_of(std::string const& name) const {
        std::ifstream in(file(name));
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::string configuration() const {
        process_.write("locations", R"(
            location = /ok { return 200 "all is well"; }
            location = /health { return 204; }
            location = /graphql {
                if ($request_method != POST) { return 405; }
                if ($http_x_key != "Xq7ZVw9J") { return 401; }
                if ($http_content_type != "application/json") { return 415; }
                return 200 '{"data":{"__typename":"query_root"}}';
            }
            location = /no-content { return 204; }
            location = /unavailable { return 503 "the database is gone"; }
            location = /asked { return 200 "<$request_method $request_uri $http_host $content_length $http_content_type $http_x_kind>"; }
            location = /quote { return 500 "<$http_authorization|$http_x_key|$request_uri|$http_accept>"; }
            location = /private { auth_basic "tests"; auth_basic_user_file users; try_files /nowhere @private; }
            location @private { return 200 "come in"; }
            location = /moved { return 302 https://admin:Xq7ZVw9J@else.where:8443/path?token=Rm4YLb8N; }
            location = /moved-here { return 301 /ok?token=Rm4YLb8N#there; }
            location = /slow { limit_rate 1000; alias files/big; }
            location /files/ { root .; }
        )");
        std::ostringstream out;
        if (::geteuid() == 0) out << "user root;\n";  // the directory is ours
        out << R"(
            daemon off; worker_processes 1; worker_shutdown_timeout 1s; pid pid; error_log log info;
            events { worker_connections 500; }
            http {
                log_format connections '$connection $uri'; access_log access connections;
                client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
                keepalive_requests 100000; absolute_redirect off; default_type text/plain;
                server { listen 127.0.0.1:)"
            << port_.number() << "; root .; include locations; }\n";
        for (auto const& [name, port] : https_ports_)
            out << "server { listen 127.0.0.1:" << port.number() << " ssl; root .; ssl_certificate " << name << ".pem; ssl_certificate_key "
                << name << ".key; include locations; }\n";
        out << "}\n";
        return out.str();
    }

    server_process process_{"nginx", nullptr, SIGTERM};
    authority trusted_;
    closed_port const port_;
    std::map<std::string, closed_port> https_ports_;
};

/// The one that all tests of http use. Runs when it is asked for.
inline nginx_server& nginx() {
    static nginx_server one;
    one.start();
    return one;
}

}  // namespace test
