// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this text of a request is a temporary, which is gone when a site looks at it: keep it in a variable
// NAMES: http_request
#include <healthz/hosted/http_request.hpp>

#ifdef TWIN
std::string const target = "/livez";
healthz::http_request const request("GET", target);
#else
healthz::http_request const request("GET", std::string("/livez"));
#endif
