// SPDX-License-Identifier: BSL-1.0
// In Pistache.
#include "demo.hpp"

#include <pistache/endpoint.h>
#include <pistache/http.h>

#include <string>

namespace http = Pistache::Http;

class handler : public http::Handler {
    HTTP_PROTOTYPE(handler)

    void onRequest(http::Request const& from, http::ResponseWriter response) override {
        auto const query = from.query().as_str();
        healthz::http_request request(http::methodString(from.method()), from.resource(), query.substr(query.empty() ? 0 : 1));
        for (auto const& [name, field] : from.headers().rawList()) request.add(name, field.value());
        auto const answer = answer_to(request);
        answer.for_each_field([&](auto name, auto value) { response.headers().addRaw({std::string(name), std::string(value)}); });
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
