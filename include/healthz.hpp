// SPDX-License-Identifier: BSL-1.0
// healthz: the health of data sources. This is the core, in reading order. It needs no heap, exceptions, RTTI, operating
// system or event loop; nothing in it throws or blocks, unless your own probe does.
#pragma once

#include "healthz/text.hpp"          // names, UTF-8, JSON escapes
#include "healthz/name.hpp"          // names, escaped and to be found
#include "healthz/complaint.hpp"     // how mistakes are told while compiling
#include "healthz/outcome.hpp"       // what one attempt found out
#include "healthz/prober.hpp"        // the three kinds of prober
#include "healthz/time_span.hpp"     // a time in a declaration
#include "healthz/combine.hpp"       // inverted, all_of and any_of: probers made of probers
#include "healthz/source.hpp"        // source<"name">(prober, health_check)
#include "healthz/bound.hpp"         // slots for objects of the application
#include "healthz/thresholds.hpp"    // how many checks it takes to change a verdict
#include "healthz/depends_on.hpp"    // sources that are not asked while another one is down
#include "healthz/when.hpp"          // sources that are not there everywhere
#include "healthz/on_bus.hpp"        // sources that share a bus
#include "healthz/each.hpp"          // families: each<"name #", 12>(...)
#include "healthz/sources.hpp"       // sources(...)
#include "healthz/buses.hpp"         // who shares which bus, and whether it has room for all of them
#include "healthz/cycle.hpp"         // retries and timeouts as a state machine
#include "healthz/source_state.hpp"  // one source from its first check on: what to do and what to publish
#include "healthz/starts.hpp"        // when checks start, planned by the compiler
#include "healthz/verdict.hpp"       // a verdict, and a report without its type
#include "healthz/declaration.hpp"   // a declaration as constant tables; worst_case_detection
#include "healthz/write_json.hpp"    // a report as JSON
#include "healthz/report.hpp"        // the latest verdicts
#include "healthz/record.hpp"        // what is known of a source besides its verdict; the event of a check
#include "healthz/bank.hpp"          // probers in flash, sessions in memory
#include "healthz/history.hpp"       // the verdicts before the latest
#include "healthz/monitor.hpp"       // runs the checks from a superloop
#include "healthz/timetable.hpp"     // its times and memory, to print
#include "healthz/watchdog.hpp"      // feeds a hardware watchdog while required sources are OK
#include "healthz/sha256.hpp"        // digests, to keep and compare secrets by
#include "healthz/host.hpp"          // the host that a request is for
#include "healthz/endpoint.hpp"      // which requests may read the report over HTTP, and the answers
#include "healthz/response.hpp"      // the answer as bytes, for an HTTP server of yours
#include "healthz/sizes.hpp"         // how long an answer can be
