// SPDX-License-Identifier: BSL-1.0
// In Pistache.
#include "demo.hpp"

#include <pistache/endpoint.h>
#include <pistache/http.h>

#include <functional>
#include <list>
#include <memory>
#include <ostream>
#include <string>

namespace http = Pistache::Http;

// A field of an answer: Pistache sends none whose type it does not know.
struct field : http::Header::Header {
    field(std::string_view its_name, std::string_view its_value) : key(its_name), value(its_value) {}
    char const* name() const override { return key.c_str(); }
    std::uint64_t hash() const override { return std::hash<std::string>()(key); }
    void write(std::ostream& to) const override { to << value; }
    std::string key, value;
};

class handler : public http::Handler {
    HTTP_PROTOTYPE(handler)

    void onRequest(http::Request const& from, http::ResponseWriter response) override {
        auto const query = from.query().as_str();
        auto const query_text = std::string_view(query).substr(query.empty() ? 0 : 1);
        healthz::http_request request(http::methodString(from.method()), from.resource(), query_text);
        std::list<std::string> values;  // which Pistache hands out by value
        for (auto const& [name, raw] : from.headers().rawList()) request.add(name, values.emplace_back(raw.value()));
        auto const answer = answer_to(request);
        answer.for_each_field([&](auto name, auto value) { response.headers().add(std::make_shared<field>(name, value)); });
        response.send(static_cast<http::Code>(answer.status), answer.payload().data(), answer.payload().size(),
                      http::Mime::MediaType::fromString(answer.type));
    }
};

void serve(std::uint16_t port) {
    http::Endpoint server(Pistache::Address("127.0.0.1", port));
    server.init(http::Endpoint::options().threads(2).flags(Pistache::Tcp::Options::ReuseAddr));
    server.setHandler(http::make_handler<handler>());
    server.serveThreaded();
    wait_for_end();
    server.shutdown();
}
