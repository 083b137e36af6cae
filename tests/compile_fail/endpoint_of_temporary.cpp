// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the document of an endpoint must outlive it: give it one that has a name
// NAMES: document
#include <healthz.hpp>
#include <healthz/beast/endpoint.hpp>

void mount();
void mount() {
#ifdef TWIN
    healthz::beast::document document;
    healthz::beast::endpoint const endpoint(document, healthz::allow_unauthenticated{});
#else
    healthz::beast::endpoint const endpoint(healthz::beast::document{}, healthz::allow_unauthenticated{});
#endif
}
