// SPDX-License-Identifier: BSL-1.0
// In Qt's HTTP server.
#include "demo.hpp"

#include <QCoreApplication>
#include <QHttpServer>
#include <QHttpServerRequest>
#include <QHttpServerResponder>

#include <stdexcept>
#include <thread>

void handle(QHttpServerRequest const& from, QHttpServerResponder&& response) {
    using method = QHttpServerRequest::Method;  // all but GET and HEAD are answered alike
    auto const target = from.url().toEncoded(QUrl::RemoveFragment);
    auto const fields = from.headers();
    auto const* verb = from.method() == method::Get ? "GET" : "POST";
    if (from.method() == method::Head) verb = "HEAD";
    healthz::http_request request(verb, target.constData());
    for (auto const& [name, value] : fields) request.add(name.constData(), value.constData());
    auto const answer = answer_to(request);
    response.writeStatusLine(QHttpServerResponder::StatusCode(answer.status));
    response.writeHeader("Content-Type", answer.type);
    response.writeHeader("Content-Length", QByteArray::number(qulonglong(answer.body.size())));
    answer.for_each_field([&](auto name, auto value) { response.writeHeader(name.data(), value.data()); });
    response.writeBody(answer.payload().data(), qint64(answer.payload().size()));
}

void serve(std::uint16_t port) {
    int count = 1;
    char name[] = "mount", *words[] = {name, nullptr};
    QCoreApplication application(count, words);
    QHttpServer server;
    server.setMissingHandler(handle);
    if (server.listen(QHostAddress::LocalHost, port) == 0) throw std::runtime_error("cannot listen");
    std::thread end([] {
        wait_for_end();
        QCoreApplication::quit();
    });
    application.exec();
    end.join();
}
