// SPDX-License-Identifier: BSL-1.0
// The sources in the health service of a gRPC server: grpc.health.v1, for Kubernetes, Envoy and other servers.
// Needs gRPC (grpc++).
#pragma once

#include "../declaration.hpp"
#include "../outcome.hpp"
#include "../record.hpp"
#include "../verdict.hpp"

#include <grpcpp/health_check_service_interface.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace healthz {

namespace detail {

/// The one that informs a health service.
class only_one {
public:
    explicit only_one(::grpc::HealthCheckServiceInterface const& service) : service_(&service) {
        std::lock_guard const lock(mutex());
        if (!all().insert(service_).second)
            throw std::logic_error("healthz: a grpc_health informs this service already, and two would overwrite each other");
    }
    only_one(only_one const&) = delete;
    only_one& operator=(only_one const&) = delete;
    ~only_one() {
        std::lock_guard const lock(mutex());
        all().erase(service_);
    }

private:
    using services = std::set<::grpc::HealthCheckServiceInterface const*>;
    // Never destroyed, since one may outlive what is static.
    static std::mutex& mutex() {
        static auto& one = *new std::mutex;
        return one;
    }
    static services& all() {
        static auto& one = *new services;
        return one;
    }

    ::grpc::HealthCheckServiceInterface const* service_;
};

}  // namespace detail

/// Keeps gRPC's own health service informed: `.on_change = healthz::grpc_health<sources>(*server->GetHealthCheckService())`, or as a
/// handler of a runner; not as `.on_verdict`, which is not told that a source is off.
/// `GetHealthCheckService()` is null unless `grpc::EnableDefaultHealthCheckService(true)` was called before the server was built. grpc++
/// starts no server that has nothing but its health. It says of `""` that it is SERVING until this is made: make it as soon as the server
/// is built. Each source is a service by its name, SERVING while it is OK or off; `""`, the server as a whole, is while all are; and so is
/// "readiness", until `drain`. Before their first verdicts none is. Who watches a service is told of each change, once. It answers what was
/// told last: if the loop that checks stands still, that does not show.
/// Copies are one. Call it on one thread at a time; the service must outlive it. `ready_service` is the name for the readiness.
/// One for a service at a time: two would overwrite each other's `""` and "readiness", so that the second throws std::logic_error.
/// Compile errors: a source is called "readiness"; a name is longer than 200 bytes.
template <auto const& Sources>
class grpc_health {
public:
    static constexpr char const* ready_service = "readiness";

    explicit grpc_health(::grpc::HealthCheckServiceInterface& service) : state_(std::make_shared<state>(service)) {
        static_assert(!has_source(ready_service),
                      "healthz: no source may be called readiness here, since that is a service of its own: "
                      "write another name");
        static_assert(longest_name() <= 200,  // it answers INVALID_ARGUMENT
                      "healthz: grpc++ tells nobody of a service whose name is longer than 200 bytes: write shorter names");
        for (std::size_t i = 0; i < size_of<Sources>; ++i) state_->tell(name(i), false);
        state_->tell("", false);
        state_->tell(ready_service, false);
    }

    /// Takes in a check, or the verdicts of a report.
    void operator()(event const& e) const { take_in(e.report, e.index); }
    void operator()(report_view latest, std::size_t index) const { take_in(latest, index); }

    /// From now on the program is not ready: it is about to end. Any thread. With a `beast::server`:
    /// `.on_drain = [health] { health.drain(); }`.
    void drain() const {
        std::lock_guard lock(state_->mutex);
        state_->draining = true;
        state_->set(state_->ready, ready_service, false);
    }

private:
    struct state {
        explicit state(::grpc::HealthCheckServiceInterface& to) : service(to), only(to) {}

        void tell(std::string const& name, bool serving) const { service.SetServingStatus(name, serving); }
        void set(bool& told, std::string const& name, bool serving) const {
            if (told == serving) return;
            told = serving;
            tell(name, serving);
        }

        ::grpc::HealthCheckServiceInterface& service;
        detail::only_one const only;
        std::mutex mutex;
        bool sources[size_of<Sources>] = {};
        bool whole = false, ready = false, draining = false;
    };

    static constexpr bool has_source(std::string_view wanted) {
        for (auto const& row : detail::rows_of<Sources>)
            if (row.name() == wanted) return true;
        return false;
    }
    static constexpr std::size_t longest_name() {
        std::size_t size = 0;
        for (auto const& row : detail::rows_of<Sources>) size = row.name().size() > size ? row.name().size() : size;
        return size;
    }
    static std::string name(std::size_t index) { return std::string(detail::rows_of<Sources>[index].name()); }

    void take_in(report_view latest, std::size_t index) const {
        std::lock_guard lock(state_->mutex);
        state_->set(state_->sources[index], name(index), latest.is(index, status::ok) || latest.is_off(index));
        bool const all = latest.all_ok();
        state_->set(state_->whole, "", all);
        state_->set(state_->ready, ready_service, all && !state_->draining);
    }

    std::shared_ptr<state> state_;
};

}  // namespace healthz
