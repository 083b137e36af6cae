// SPDX-License-Identifier: BSL-1.0
// POCO, which has a thread a connection. Usage: serve_poco PORT FILE
#include "file.hpp"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <unistd.h>

namespace net = Poco::Net;

std::string body;

class handler : public net::HTTPRequestHandler {
    void handleRequest(net::HTTPServerRequest&, net::HTTPServerResponse& response) override {
        response.setContentType("application/json");
        response.set("Cache-Control", "no-store");
        response.sendBuffer(body.data(), body.size());
    }
};
class factory : public net::HTTPRequestHandlerFactory {
    net::HTTPRequestHandler* createRequestHandler(net::HTTPServerRequest const&) override { return new handler; }
};

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    body = read_file(words[2]);
    auto* const parameters = new net::HTTPServerParams;
    parameters->setMaxThreads(16);
    net::HTTPServer server(new factory, net::ServerSocket(net::SocketAddress("127.0.0.1", port_of(words[1]))), parameters);
    server.start();
    pause();
}
