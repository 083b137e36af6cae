// SPDX-License-Identifier: BSL-1.0
// A real mosquitto for the tests: its own directory and ports, with and without TLS, gone when the tests are.
#pragma once

#include "certificates.hpp"
#include "server_process.hpp"

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>

namespace test {

/// Listens on 127.0.0.1 and ::1, and with TLS on 127.0.0.1. The tests themselves are its user `admin`, the client under test is `monitor`,
/// and `guest` may do nothing but connect.
class mosquitto_server {
public:
    static constexpr char const* password = "Vq8zKw3x";
    static constexpr char const* admin_password = "Zt5mRj2h";

    explicit mosquitto_server(std::string settings = {}) : settings_(std::move(settings)) {
        process_.write("ca.pem", trusted_.text());
        use_certificate(trusted_.issue());
        auto const client = trusted_.issue("DNS:client");
        process_.write("client.pem", client.text);
        process_.write("client.key", client.key);
        process_.write("users", "");
        add_user("admin", admin_password);
        add_user("monitor", password);
        add_user("guest", password);
        process_.write("rights",
                       "user admin\ntopic readwrite #\ntopic read $SYS/#\n"
                       "user monitor\ntopic read status/#\ntopic readwrite echo/#\ntopic read heard/#\ntopic write said/#\n");
        start();
    }

    /// Starts the server where it does not run, and waits until it answers.
    void start() {
        if (process_.running()) return;
        auto const secured = "cafile " + file("ca.pem") + "\ncertfile " + file("server.pem") + "\nkeyfile " + file("server.key") + "\n";
        process_.write(
            "mosquitto.conf",
            "user root\nlog_type error\nlog_type warning\npersistence false\nsys_interval 1\nset_tcp_nodelay true\nallow_anonymous false\n"
            "password_file " +
                file("users") + "\nacl_file " + file("rights") + "\n" + settings_ + "listener " + port() + " 127.0.0.1\nlistener " +
                port() + " ::1\nlistener " + tls_port() + " 127.0.0.1\n" + secured + "listener " + mutual_port() + " 127.0.0.1\n" +
                secured + "require_certificate true\n");
        process_.start({"/usr/sbin/mosquitto", "-c", file("mosquitto.conf")}, [this] { return publish("ready", "yes", false); });
        for (auto const& [topic, payload] : retained_) publish(topic, payload, true);
    }
    void stop() { process_.stop(SIGTERM); }
    void kill() { process_.kill(); }
    void sigstop() const { process_.sigstop(); }
    void sigcont() const { process_.sigcont(); }

    std::string port() const { return port_.port(); }
    std::string tls_port() const { return tls_port_.port(); }
    /// Where a client needs a certificate.
    std::string mutual_port() const { return mutual_port_.port(); }
    std::string file(std::string const& name) const { return process_.path(name); }
    authority const& trusted() const { return trusted_; }

    std::string url(std::string const& host = "127.0.0.1") const { return url_of("monitor", host); }
    std::string url_of(std::string const& user, std::string const& host = "127.0.0.1") const {
        return "mqtt://" + user + ":" + password + "@" + host + ":" + port();
    }
    std::string tls_url(std::string const& host = "localhost") const {
        return std::string("mqtts://monitor:") + password + "@" + host + ":" + tls_port();
    }

    /// Known from the next start or `set_password` on.
    void add_user(std::string const& user, std::string const& its_password) const {
        process_.run({"/usr/bin/mosquitto_passwd", "-b", file("users"), user, its_password});
    }
    /// Has the server read its users anew, and waits for that.
    void set_password(std::string const& user, std::string const& its_password) const {
        add_user(user, its_password);
        process_.signal(SIGHUP);
        while (!succeeds("pub -t ready -m yes", " -p " + port() + " -u " + quoted(user) + " -P " + quoted(its_password)))
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }

    /// Has the server retain a message, also after a restart.
    void retain(std::string const& topic, std::string const& payload) {
        retained_[topic] = payload;
        publish(topic, payload, true);
    }
    bool publish(std::string const& topic, std::string const& payload, bool retained) const {
        std::ofstream(file("payload"), std::ios::binary) << payload;
        return succeeds("pub -q 1 -t " + quoted(topic) + " -f " + file("payload") + (retained ? " -r" : ""), as_admin());
    }
    /// What a client of the server's own prints: `sub` or `pub` with these options.
    std::string call(std::string const& command) const { return output("mosquitto_" + command + as_admin()); }
    /// Whether the server has no client and no subscription but those of the one who asks, as it tells once a second.
    bool has_nothing() const {
        auto const told = call("sub -v -W 3 -t '$SYS/broker/clients/total' -t '$SYS/broker/subscriptions/count'");
        auto const is = [&told](std::string const& what, char number) {  // at last
            auto const at = told.rfind("$SYS/broker/" + what + " ");
            return at != told.npos && told.substr(at + 13 + what.size(), 2) == std::string{number, '\n'};
        };
        return is("clients/total", '1') && is("subscriptions/count", '2');
    }

    /// How many connections it has that were not ended.
    int connections() const { return count_sockets({port_.number(), tls_port_.number(), mutual_port_.number()}); }

    /// From the next start on.
    void use_certificate(certificate const& other) {
        process_.write("server.pem", other.text);
        process_.write("server.key", other.key);
    }

private:
    static std::string quoted(std::string const& text) {
        std::string result = "'";
        for (char const c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return result + "'";
    }
    std::string as_admin() const { return " -p " + port() + " -u admin -P " + admin_password; }
    static bool succeeds(std::string const& command, std::string const& as_whom) {
        return output("mosquitto_" + command + as_whom + " && echo done").ends_with("done\n");
    }
    static std::string output(std::string const& command) {
        auto const shell = "(" + command + ") 2>&1";
        std::unique_ptr<FILE, decltype(&::pclose)> const pipe(::popen(shell.c_str(), "r"), &::pclose);
        std::string result;
        for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) result += static_cast<char>(c);
        return result;
    }

    std::string settings_;
    server_process process_{"mqtt"};
    authority trusted_;
    std::map<std::string, std::string> retained_;
    closed_port const port_;
    closed_port const tls_port_;
    closed_port const mutual_port_;
};

}  // namespace test
