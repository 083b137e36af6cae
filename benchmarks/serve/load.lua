-- SPDX-License-Identifier: BSL-1.0
-- What wrk sends, DEPTH requests at once, and what it tells: requests, microseconds, p50, p99, p99.9 in microseconds, errors.
local depth = tonumber(os.getenv("DEPTH") or "1")
local text

function init()
    local one = wrk.format("GET")
    text = string.rep(one, depth)
end

function request() return text end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format("figures %d %d %.0f %.0f %.0f %d\n", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), latency:percentile(99.9), e.connect + e.read + e.write + e.status + e.timeout))
end
