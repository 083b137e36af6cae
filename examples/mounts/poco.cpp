// SPDX-License-Identifier: BSL-1.0
// In POCO.
#include "demo.hpp"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <string>

namespace net = Poco::Net;

class handler : public net::HTTPRequestHandler {
    void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
        auto const answer = answer_to(healthz::http_request(request.getMethod(), request.getURI()).with(request));
        response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(answer.status), std::string(answer.reason));
        response.setContentType(answer.type);
        answer.for_each_field([&](auto name, auto value) { response.set(name.data(), value.data()); });
        // A body that is not read would be taken for the next request.
        if (request.getContentLength64() > 0 || request.getChunkedTransferEncoding()) response.setKeepAlive(false);
        response.sendBuffer(answer.body.data(), answer.body.size());  // for HEAD the server counts it, and sends nothing
    }
};
class factory : public net::HTTPRequestHandlerFactory {
    net::HTTPRequestHandler* createRequestHandler(net::HTTPServerRequest const&) override { return new handler; }
};

void serve(std::uint16_t port) {
    auto* const parameters = new net::HTTPServerParams;
    parameters->setMaxThreads(16);
    net::HTTPServer server(new factory, net::ServerSocket(net::SocketAddress("127.0.0.1", port)), parameters);
    server.start();
    wait_for_end();
    server.stopAll(true);
}
