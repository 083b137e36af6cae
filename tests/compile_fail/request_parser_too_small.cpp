// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a request_parser keeps 128 to 32767 bytes
// ERRORS: 1
#include <healthz/request_parser.hpp>

#ifdef TWIN
healthz::request_parser<128> parser;
#else
healthz::request_parser<127> parser;
#endif
