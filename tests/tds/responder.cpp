// SPDX-License-Identifier: BSL-1.0
// The responder as a program, for clients that are programs too: prints its port, and ends when its input does.
#include "responder.hpp"

#include <iostream>
#include <limits>

int main() {
    test::tds_responder server;
    std::cout << server.port() << std::endl;
    std::cin.ignore(std::numeric_limits<std::streamsize>::max());
}
