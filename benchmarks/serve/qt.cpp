// SPDX-License-Identifier: BSL-1.0
// Qt's HTTP server, one thread. Usage: serve_qt PORT FILE
#include "file.hpp"

#include <QCoreApplication>
#include <QHttpServer>
#include <QHttpServerResponder>

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    QCoreApplication application(count, words);
    auto const body = QByteArray::fromStdString(read_file(words[2]));
    QHttpServer server;
    server.setMissingHandler([&body](QHttpServerRequest const&, QHttpServerResponder&& response) {
        response.writeStatusLine();
        response.writeHeader("Content-Type", "application/json");
        response.writeHeader("Content-Length", QByteArray::number(body.size()));
        response.writeHeader("Cache-Control", "no-store");
        response.writeBody(body);
    });
    if (server.listen(QHostAddress::LocalHost, port_of(words[1])) == 0) return EXIT_FAILURE;
    return application.exec();
}
