#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: benchmarks/compile/generate.sh KIND COUNT
# Prints a program with COUNT sources of COUNT distinct types of prober, and a loop that checks them all. KIND is
#   healthz   declared with this library, checked by its monitor
#   family    one family of this library, checked by its monitor
#   tuple     a std::tuple of typed sources, gone through with std::apply
#   virtual   a std::vector<std::unique_ptr<source_base>>, one derived class a type of prober
#   includes  what `healthz` includes, and nothing else
#   by_hand   sources of one type of prober, with a URL from the environment, checked by the library's monitor
#   metadata  the same out of Hasura's metadata, which stands in metadata.hpp
#   json      that metadata
# SAME=1 gives all sources one type of prober.
set -euo pipefail
kind=$1 count=$2
head='#include <healthz.hpp>
#include <healthz/hosted/setting.hpp>
struct database {
    healthz::setting url;
    char const* test = "SELECT 1";
    healthz::outcome probe() const;
};
void put(std::string_view);'
tail='constinit healthz::monitor<sources> monitor;
void poll(std::uint32_t now) { monitor.poll(now); }
void write() { healthz::write_json(monitor.report(), put); }'
case $kind in
json)
    printf '{"version": 3, "sources": ['
    for ((i = 0; i < count; ++i)); do
        printf '%s\n  {\n    "name": "source %04d",\n    "kind": "postgres",\n    "tables": [{"table": {"name": "t", "schema": "public"}}],
    "configuration": {\n      "connection_info": {\n        "database_url": {"from_env": "URL_%04d"},
        "pool_settings": {"max_connections": 50, "idle_timeout": 180, "retries": 1}\n      }\n    },
    "health_check": {"interval": 10, "timeout": 5, "retries": 2, "retry_interval": 1.5, "test": {"sql": "SELECT %d"}}\n  }' \
            "$([ "$i" -eq 0 ] || echo ,)" "$i" "$i" "$i"
    done
    echo ']}'
    exit ;;
metadata)
    echo "$head
#include <healthz/hasura/sources.hpp>
#include \"metadata.hpp\"
constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<\"postgres\", database>>();
$tail"
    exit ;;
by_hand)
    echo "$head
using namespace std::chrono_literals;
constexpr auto sources = healthz::sources("
    for ((i = 0; i < count; ++i)); do
        printf '%s healthz::source<"source %04d">(database{.url = healthz::env("URL_%04d"), .test = "SELECT %d"},
    {.interval = 10s, .timeout = 5s, .retries = 2, .retry_interval = 1500ms})\n' "$([ "$i" -eq 0 ] || echo ,)" "$i" "$i" "$i"
    done
    echo ");
$tail"
    exit ;;
esac
cat <<'END'
#include <healthz.hpp>
#include <memory>
#include <tuple>
#include <vector>
using namespace std::chrono_literals;
extern int volatile port[];
template <int Index> struct prober {
    int least;
    healthz::outcome probe() const { return port[Index] >= least ? healthz::ok() : healthz::error("too low"); }
};
void put(std::string_view);
END
name() { [ "${SAME:-0}" = 1 ] && echo 0 || echo "$1"; }
# What the two others need besides, in the way that one writes it by hand.
by_hand='
struct settings { std::string_view name; std::chrono::milliseconds interval; };
struct state { healthz::status status; healthz::outcome last = healthz::ok(); std::uint32_t due = 0; };
template <class Prober> void check(settings const& s, Prober const& p, state& st, std::uint32_t now) {
    if (static_cast<std::int32_t>(now - st.due) < 0) return;
    st.due = now + static_cast<std::uint32_t>(s.interval.count());
    st.last = p.probe();
    st.status = st.last.status();
}
inline void write(settings const& s, state const& st) { put(s.name); put(st.last.json()); put(healthz::to_string(st.status)); }'
case $kind in
includes) ;;
healthz)
    echo 'constexpr auto sources = healthz::sources('
    for ((i = 0; i < count; ++i)); do
        printf '%s healthz::source<"source %04d">(prober<%d>{%d}, {.interval = 1s})\n' "$([ "$i" -eq 0 ] || echo ,)" "$i" "$(name "$i")" "$i"
    done
    echo ');
constinit healthz::monitor<sources> monitor;
void poll(std::uint32_t now) { monitor.poll(now); }
void write() { healthz::write_json(monitor.report(), put); }'
    ;;
family)
    echo "struct numbered_prober {
    int index;
    healthz::outcome probe() const { return port[index] >= index ? healthz::ok() : healthz::error(\"too low\"); }
};
constexpr auto sources =
    healthz::sources(healthz::each<\"source #\", $count>([](int index) { return numbered_prober{index}; }, {.interval = 1s}));
constinit healthz::monitor<sources> monitor;
void poll(std::uint32_t now) { monitor.poll(now); }
void write() { healthz::write_json(monitor.report(), put); }"
    ;;
tuple)
    echo "$by_hand"
    echo 'template <class Prober> struct source { settings s; Prober p; state st; };
template <class Prober> source(settings, Prober, state) -> source<Prober>;
auto sources = std::make_tuple('
    for ((i = 0; i < count; ++i)); do
        printf '%s source{settings{"source %04d", 1s}, prober<%d>{%d}, state{}}\n' "$([ "$i" -eq 0 ] || echo ,)" "$i" "$(name "$i")" "$i"
    done
    echo ');
void poll(std::uint32_t now) { std::apply([&](auto&... each) { (check(each.s, each.p, each.st, now), ...); }, sources); }
void write() { std::apply([&](auto&... each) { (write(each.s, each.st), ...); }, sources); }'
    ;;
virtual)
    echo "$by_hand"
    echo 'struct source_base { settings s; state st{}; explicit source_base(settings set) : s(set) {} virtual ~source_base() = default; virtual void poll(std::uint32_t now) = 0; };
template <class Prober> struct source final : source_base {
    Prober p;
    source(settings set, Prober pr) : source_base(set), p(pr) {}
    void poll(std::uint32_t now) override { check(s, p, st, now); }
};
auto const sources = [] {
    std::vector<std::unique_ptr<source_base>> all;'
    for ((i = 0; i < count; ++i)); do
        printf '    all.push_back(std::make_unique<source<prober<%d>>>(settings{"source %04d", 1s}, prober<%d>{%d}));\n' "$(name "$i")" "$i" "$(name "$i")" "$i"
    done
    echo '    return all;
}();
void poll(std::uint32_t now) { for (auto const& each : sources) each->poll(now); }
void write() { for (auto const& each : sources) write(each->s, each->st); }'
    ;;
esac
