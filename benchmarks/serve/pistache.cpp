// SPDX-License-Identifier: BSL-1.0
// Pistache, two threads. Usage: serve_pistache PORT FILE
#include "file.hpp"

#include <pistache/endpoint.h>
#include <pistache/http.h>

namespace http = Pistache::Http;

std::string body;

class handler : public http::Handler {
    HTTP_PROTOTYPE(handler)

    void onRequest(http::Request const&, http::ResponseWriter response) override {
        response.headers().add<http::Header::CacheControl>(http::CacheDirective::NoStore);
        response.send(http::Code::Ok, body.data(), body.size(), MIME(Application, Json));
    }
};

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    body = read_file(words[2]);
    http::Endpoint server(Pistache::Address("127.0.0.1", port_of(words[1])));
    server.init(http::Endpoint::options().threads(2).flags(Pistache::Tcp::Options::ReuseAddr));
    server.setHandler(http::make_handler<handler>());
    server.serve();
}
