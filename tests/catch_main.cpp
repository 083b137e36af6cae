// SPDX-License-Identifier: BSL-1.0
// The main function of a test program. With Catch2 version 2, its implementation lives here too.
#define CATCH_CONFIG_RUNNER
#include "catch.hpp"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
