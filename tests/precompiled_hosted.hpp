// SPDX-License-Identifier: BSL-1.0
// Compiled once for all tests of what runs on an operating system.
#pragma once

#include "asio/support.hpp"
#include "probers/server_process.hpp"

#include <healthz.hpp>
#include <healthz/asio/runner.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

#include <map>
#include <random>
