// SPDX-License-Identifier: BSL-1.0
// A prober that metadata is mapped to lies in a namespace whose functions have the names of ours. That this compiles is the test.
#include "../hostile_names.hpp"

#include <healthz.hpp>
#include <healthz/hasura/sources.hpp>

namespace hostile {

struct mapped {
    healthz::setting url;
    healthz::setting user, password;
    char const* test = "";
    healthz::outcome probe() const { return healthz::ok(); }
};

constexpr char metadata[] = R"([
    {"name": "a", "kind": "m", "configuration": {"connection_info": {"database_url": {"from_env": "A"}}}, "health_check": {"interval": 1}},
    {"name": "b", "kind": "m", "configuration": {"connection_info": {"connection_parameters":
     {"username": "u", "database": "d", "host": "h", "port": 1}}}, "health_check": {"interval": 1, "test": {"sql": "\u0041"}}}])";
constexpr auto declared = healthz::hasura::sources<metadata, healthz::hasura::kind<"m", mapped>>();
static_assert(healthz::size_of<declared> == 2);

}  // namespace hostile
