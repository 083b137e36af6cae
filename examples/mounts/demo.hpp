// SPDX-License-Identifier: BSL-1.0
// What all mounts of this folder share: the demo's sources, checked beside a server of any kind.
#pragma once

#include <healthz/hosted/http_request.hpp>
#include <healthz/hosted/site_answer.hpp>

#include <cstdint>

/// Answers a request from any thread: `answer_to` of a `healthz::site`.
healthz::site_answer answer_to(healthz::http_request const& request);

/// What a mount's file has: serves on 127.0.0.1 until `wait_for_end` returns.
void serve(std::uint16_t port);

/// Waits for SIGINT or SIGTERM.
void wait_for_end();
