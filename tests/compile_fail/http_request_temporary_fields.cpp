// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: these fields are a temporary, which is gone when a site looks at it: keep it in a variable
// NAMES: http_request
#include <healthz/hosted/http_request.hpp>

#include <map>
#include <string>

using fields = std::map<std::string, std::string>;

#ifdef TWIN
fields const kept{{"Accept", "text/html"}};
auto const request = healthz::http_request("GET", "/livez").with(kept);
#else
auto const request = healthz::http_request("GET", "/livez").with(fields{{"Accept", "text/html"}});
#endif
