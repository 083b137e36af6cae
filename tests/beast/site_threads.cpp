// SPDX-License-Identifier: BSL-1.0
// A site that several threads ask while another one holds all that is known, as who writes a large view does.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

#include <future>
#include <thread>

namespace {

using namespace std::chrono_literals;

constexpr auto found = [] { return healthz::ok(); };
constexpr auto one_source = healthz::sources(healthz::source<"orders">(found, {.interval = 1h}));
using site_of_one = healthz::site<one_source>;

// Takes in that the source is OK.
void tell_ok(site_of_one& site) {
    healthz::report<one_source> report;
    report.publish(0, healthz::status::ok, "null", {});
    healthz::record const record;
    site.update({report.view(), 0, *report.view()[0], std::nullopt, healthz::status::ok, true, 1, 5ms, record});
}

unsigned status_of(site_of_one const& site, std::string_view path) { return site.answer_to({"GET", path, ""}).status; }

/// Holds all that a site knows, until it is told to let go.
class holder {
public:
    explicit holder(site_of_one const& site)
        : thread_([this, &site] {
              site.with_data([this](healthz::view_data const&) {
                  holds_.set_value();
                  let_go_.get_future().wait();
              });
          }) {
        holds_.get_future().wait();
    }
    void let_go() { let_go_.set_value(); }
    ~holder() { thread_.join(); }

private:
    std::promise<void> holds_, let_go_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("site: while another thread holds what is known, the document and the views before are given") {
    site_of_one site(healthz::allow_unauthenticated{});
    site.start();
    CHECK(status_of(site, "/readyz") == 503);  // not yet checked
    tell_ok(site);
    auto const all_ok = [&site] {
        bool all = true;
        for (std::string_view const path : {"/healthz/sources", "/readyz", "/livez", "/metrics", "/healthz/page"})
            all &= status_of(site, path) == 200;
        return all && status_of(site, "/none") == 404;
    };
    // A view before is given for a tenth of a second, which a busy machine may miss: then it waits, and is asked again.
    bool given = false;
    for (int i = 0; i < 100 && !given; ++i) {
        CHECK(all_ok());  // nothing waits, so all is written
        holder held(site);
        auto asked = std::async(std::launch::async, all_ok);
        given = asked.wait_for(1s) == std::future_status::ready;
        held.let_go();
        CHECK(asked.get());
    }
    CHECK(given);
}

TEST_CASE("site: once it drains, nothing from before is given, also while another thread holds what is known") {
    site_of_one site(healthz::allow_unauthenticated{});
    site.start();
    tell_ok(site);
    CHECK(status_of(site, "/readyz") == 200);
    site.drain();
    holder held(site);
    auto asked = std::async(std::launch::async, [&site] { return status_of(site, "/readyz"); });
    CHECK(asked.wait_for(50ms) == std::future_status::timeout);  // it waits for what is true now
    held.let_go();
    CHECK(asked.get() == 503);
}
