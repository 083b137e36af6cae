// SPDX-License-Identifier: BSL-1.0
// In Qt's HTTP server.
#include "demo.hpp"

#include <QCoreApplication>
#include <QHttpServer>
#include <QHttpServerRequest>
#include <QHttpServerResponder>
#include <QMetaEnum>

#include <stdexcept>
#include <thread>

void handle(QHttpServerRequest const& from, QHttpServerResponder&& response) {
    auto const method = QByteArray(QMetaEnum::fromType<QHttpServerRequest::Method>().valueToKey(int(from.method()))).toUpper();
    auto const target = from.url().toEncoded(QUrl::RemoveFragment);
    auto const fields = from.headers();
    healthz::http_request request(method.constData(), target.constData());
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
