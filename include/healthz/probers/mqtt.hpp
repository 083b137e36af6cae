// SPDX-License-Identifier: BSL-1.0
// mqtt: an MQTT broker lets a client in, and answers it.
// Needs libmosquitto 2, OpenSSL, Boost.Asio and threads (for looking up names).
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/login.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/setting.hpp"
#include "../hosted/url.hpp"
#include "../net/connect.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "../tls/client.hpp"
#include "../tls/options.hpp"
#include "mqtt/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// OK when the broker at `url` lets a client in and answers an UNSUBSCRIBE from a topic that was not subscribed to, which takes it through
/// the broker and needs no right to any topic; with `retained_topic`, when a retained message is there; with `round_trip_topic`, when a
/// message that is published comes back. A coroutine prober: libmosquitto is driven by the loop and blocks nothing; names are looked up and
/// certificates read on a worker. A connection for each check, with a clean session that its end removes, as a broker closes what is silent;
/// so nothing is left on the broker: no session, no subscription, and no message, since none is published to be retained.
/// `url` is `mqtt://user:password@host:port`, all but the host optional and user and password percent-encoded, or `mqtts://` for TLS.
/// ERROR names the broker's reason in MQTT's words, without any password. A publication that is not allowed a broker only refuses in MQTT 5:
/// before that it drops the message, and the check is a TIMEOUT. FAILED: `url` is not set or of another form, a topic has a wildcard, or a
/// file for TLS cannot be used. A retained message is read whole: up to 256 MiB, as MQTT has it. libmosquitto makes the whole process ignore
/// SIGPIPE, and while a check runs, programs that the process starts inherit a pair of sockets that leads nowhere.
struct mqtt {
    static constexpr char const* kind = "mqtt";  ///< as a label of metrics
    setting url;
    /// Instead of those in `url`.
    setting user = setting();
    setting password = setting();
    /// A topic, without wildcards, that must have a retained message. Needs the right to read it. Where there is none, that is told after half
    /// of the timeout, since brokers may send it after they have answered.
    setting retained_topic = setting();
    /// A text that the retained message must hold, such as the "online" of a device whose will says "offline".
    char const* expected_text = "";
    /// A topic to publish to and to receive from, both with QoS 1. Needs the right to do so; whoever has subscribed to it receives it, too.
    setting round_trip_topic = setting();
    /// One for each source and process unless set: a broker throws a client out when another one comes with the same.
    setting client_id = setting();
    /// Of MQTT.
    enum : std::uint8_t { v3_1_1 = MQTT_PROTOCOL_V311, v5 = MQTT_PROTOCOL_V5 } version = v3_1_1;
    /// For `mqtts://`.
    tls_options tls = tls_options();

    constexpr char const* complaint() const {
        if (*expected_text != '\0' && !retained_topic.given())
            return "healthz: the expected_text of mqtt is that of a retained message: write .retained_topic, too";
        return url.required("healthz: mqtt needs the URL of a broker: write .url = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;
    class session;
};

/// What one source keeps between checks: its client's name.
class mqtt::session {
public:
    explicit session(mqtt const& settings) : settings_(settings) {
        [[maybe_unused]] static int const ready = mosquitto_lib_init();  // not by a probe: it is not thread safe
        constexpr std::string_view hex = "0123456789abcdef";
        std::random_device random;
        while (own_id_.size() < 23) own_id_ += hex[random() % 16];  // as long, and of such characters, as every broker takes
    }

    boost::asio::awaitable<outcome_type> probe(attempt a) {
        auto const half = detail::mqtt_client::clock::now() + a.timeout / 2;
        request asked;
        std::string const problem = read(asked);
        if (!problem.empty()) co_return outcome_type::failed(problem);
        secrets const hidden{asked.as.password.value_or("")};

        healthz::resolved const found = co_await healthz::resolve(asked.where.host, asked.where.port);
        if (found.endpoints.empty())
            co_return outcome_type::error("name not resolved", hidden.shown(asked.where.host + ": " + found.problem));
        std::unique_ptr<detail::mqtt_tls> secured;
        if (asked.where.scheme == "mqtts") {
            healthz::detail::tls_context made = co_await healthz::detail::make_tls_context(settings_.tls);
            if (!made.context) co_return outcome_type::failed(made.problem);
            secured = std::make_unique<detail::mqtt_tls>(std::move(made.context), asked.where.sent_host());
        }
        auto const executor = co_await boost::asio::this_coro::executor;
        auto const keep_alive = std::clamp(std::chrono::ceil<std::chrono::seconds>(a.timeout), least_keep_alive, longest_keep_alive);
        std::string refusals;
        for (auto const& endpoint : found.endpoints) {
            detail::mqtt_client link(executor, asked.as, secured.get());
            if (!link.is_made()) co_return outcome_type::failed("the user or client id is no text in UTF-8");
            std::string const refusal = co_await link.connect(endpoint, keep_alive);
            if (!refusal.empty()) {
                refusals += (refusals.empty() ? "" : "\n") + healthz::detail::to_text(endpoint) + ": " + refusal;
                continue;
            }
            outcome_type result = co_await sign_in(link);
            bool const has_topic = !asked.retained.empty() || !asked.round_trip.empty();
            if (result.status() == status::ok && !asked.retained.empty())
                result = co_await find_retained(link, asked.retained, half, hidden);
            if (result.status() == status::ok && !asked.round_trip.empty()) result = co_await go_round(link, asked.round_trip);
            if (result.status() == status::ok && !has_topic) result = co_await answer(link);
            co_return result;
        }
        co_return outcome_type::error("connection error", refusals);
    }

private:
    static constexpr std::chrono::seconds least_keep_alive{5}, longest_keep_alive{65535};  // of libmosquitto, and of MQTT
    static constexpr int first_refusal = 0x80;

    // What the settings say at a check.
    struct request {
        healthz::url where;
        detail::mqtt_identity as;
        std::string retained, round_trip;
    };

    // Returns the sentence for a FAILED, or nothing.
    std::string read(request& to) const {
        std::string problem;
        auto const found = settings_.url.read("url", problem);
        auto const login = detail::login::read(settings_.user, settings_.password, problem);
        if (problem.empty()) take_topic(settings_.retained_topic, "retained_topic", to.retained, problem);
        if (problem.empty()) take_topic(settings_.round_trip_topic, "round_trip_topic", to.round_trip, problem);
        to.as.client_id = own_id_;
        if (problem.empty() && settings_.client_id.given()) to.as.client_id = settings_.client_id.read("client_id", problem).value_or("");
        if (!problem.empty()) return problem;

        auto where = healthz::url::parse(login.put_into_url(*found));
        bool const is_ours = where && (where->scheme == "mqtt" || where->scheme == "mqtts") && where->query.empty() &&
                             (where->path.empty() || where->path == "/") && is_text(where->user) && is_text(where->password);
        if (!is_ours) return settings_.url.name("url") + " is not a valid MQTT URL";
        if (where->port.empty()) where->port = where->scheme == "mqtts" ? "8883" : "1883";
        to.as.user = where->user.value_or("");
        to.as.password = where->password;
        to.as.version = settings_.version;
        if (to.as.user.empty() && to.as.password) return "MQTT has no password without a user: the setting 'user' is not set";
        to.where = std::move(*where);
        return {};
    }

    static bool is_text(std::optional<std::string> const& text) { return !text || text->find('\0') == text->npos; }

    static void take_topic(setting const& from, std::string_view what, std::string& to, std::string& problem) {
        if (!from.given()) return;
        to = from.read(what, problem).value_or("");
        bool const is_topic = mosquitto_pub_topic_check(to.c_str()) == MOSQ_ERR_SUCCESS &&
                              mosquitto_validate_utf8(to.c_str(), static_cast<int>(to.size())) == MOSQ_ERR_SUCCESS;
        if (problem.empty() && !is_topic) problem = from.name(what) + " is no topic of MQTT without wildcards";
    }

    boost::asio::awaitable<outcome_type> sign_in(detail::mqtt_client& link) const {
        auto const& got = link.got();
        while (!got.connected && link.is_open()) co_await link.go_on();
        if (!got.connected) co_return ended(link);
        if (*got.connected == 0) co_return outcome_type::ok();
        bool const is_v5 = settings_.version == v5;
        bool const is_login =
            is_v5 ? *got.connected == MQTT_RC_BAD_USERNAME_OR_PASSWORD || *got.connected == MQTT_RC_NOT_AUTHORIZED
                  : *got.connected == CONNACK_REFUSED_BAD_USERNAME_PASSWORD || *got.connected == CONNACK_REFUSED_NOT_AUTHORIZED;
        std::string_view const why = is_v5 ? mosquitto_reason_string(*got.connected) : mosquitto_connack_string(*got.connected);
        co_return outcome_type::error(is_login ? "authentication failed" : "connection refused", why);
    }

    // A round through the broker that asks for nothing.
    boost::asio::awaitable<outcome_type> answer(detail::mqtt_client& link) const {
        link.unsubscribe("healthz/" + own_id_);
        while (!link.got().unsubscribed && link.is_open()) co_await link.go_on();
        if (!link.got().unsubscribed) co_return ended(link);
        co_return outcome_type::ok();
    }

    boost::asio::awaitable<outcome_type> subscribe(detail::mqtt_client& link, std::string const& topic, int qos) const {
        auto const& got = link.got();
        link.subscribe(topic, qos);
        while (!got.subscribed && link.is_open()) co_await link.go_on();
        if (!got.subscribed) co_return ended(link);
        if (*got.subscribed < first_refusal) co_return outcome_type::ok();
        co_return outcome_type::error("subscription refused", topic + ": " + mosquitto_reason_string(*got.subscribed));
    }

    boost::asio::awaitable<outcome_type> find_retained(detail::mqtt_client& link, std::string const& topic,
                                                       detail::mqtt_client::clock::time_point end, secrets const& hidden) const {
        auto const& got = link.got();
        link.look_for(settings_.expected_text);
        outcome_type subscribed = co_await subscribe(link, topic, 0);
        if (subscribed.status() != status::ok) co_return subscribed;
        while (!got.retained_came && link.is_open() && detail::mqtt_client::clock::now() < end) co_await link.go_on(end);
        if (!got.retained_came && link.is_open()) {  // what was sent before this is answered has come, however late this process is
            outcome_type answered = co_await answer(link);
            if (answered.status() != status::ok) co_return answered;
        }
        if (!got.retained_came && !link.is_open()) co_return ended(link);
        if (!got.retained_came) co_return outcome_type::error("no retained message", topic);
        if (!got.text_came) co_return outcome_type::error("expected text not found", hidden.shown(got.payload));
        co_return outcome_type::ok();
    }

    boost::asio::awaitable<outcome_type> go_round(detail::mqtt_client& link, std::string const& topic) {
        auto const& got = link.got();
        outcome_type subscribed = co_await subscribe(link, topic, 1);
        if (subscribed.status() != status::ok) co_return subscribed;
        link.publish(topic, "healthz " + own_id_ + " " + std::to_string(++count_));
        while (!(got.published && (got.own_came || *got.published >= first_refusal)) && link.is_open()) co_await link.go_on();
        if (got.published && *got.published >= first_refusal)
            co_return outcome_type::error("publication refused", topic + ": " + mosquitto_reason_string(*got.published));
        if (!got.published || !got.own_came) co_return ended(link);
        co_return outcome_type::ok();
    }

    outcome_type ended(detail::mqtt_client const& link) const {
        auto why = link.ending();
        bool const may_be_thrown_out = link.got().connected && settings_.client_id.given() && why.text == detail::mqtt_client::hung_up;
        if (may_be_thrown_out) why.text += ", as it does where another client has the same client_id";
        return outcome_type::error(why.message, why.text);
    }

    mqtt const& settings_;
    std::string own_id_ = "healthz";
    std::uint64_t count_ = 0;
};

}  // namespace healthz
