// SPDX-License-Identifier: BSL-1.0
// The machine's watchdog: with a driver that is played in memory which outlives a process, and with real files and pipes.
#include "support.hpp"

#include <healthz/asio/background.hpp>
#include <healthz/hosted/watchdog_device.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace test;
using healthz::source;
using healthz::status;
using namespace std::chrono_literals;

namespace {

/// What a driver does, and what was asked of it. In memory that a child shares with its parent.
struct driver {
    // what it does: errors are those of errno, 0 for none
    int open_error, support_error, set_error, get_error, write_error;
    std::atomic<int> feed_error;
    std::uint32_t options;
    char const* identity;
    int timeout, most;  ///< seconds
    bool no_way_out, can_be_disabled;
    int interrupted;  ///< so many calls are, by a signal
    // what came of it
    bool is_open, is_armed, is_released;
    std::atomic<int> feeds;
    int opened, closed, magic;

    int fail(int error) {
        if (interrupted > 0 && interrupted-- > 0) error = EINTR;
        errno = error;
        return error == 0 ? 0 : -1;
    }
};
/// Where the calls of the device go.
struct played {
    static inline driver* to = nullptr;

    static int open(char const* path) {
        if (to->fail(path == std::string("/dev/watchdog") ? to->open_error : ENOENT) != 0) return -1;
        to->is_open = to->is_armed = true;
        return ++to->opened, 77;
    }
    static int support(int, watchdog_info& info) {
        info.options = to->options;
        std::strncpy(reinterpret_cast<char*>(info.identity), to->identity, sizeof info.identity);
        return to->fail(to->support_error);
    }
    static int set_timeout(int, int& seconds) {
        if (to->fail(to->set_error) != 0) return -1;
        seconds = to->timeout = std::min(seconds, to->most);
        return 0;
    }
    static int get_timeout(int, int& seconds) {
        if (to->fail(to->get_error) != 0) return -1;
        seconds = to->timeout;
        return 0;
    }
    static int keep_alive(int) {
        if (to->fail(to->is_open ? to->feed_error.load() : EBADF) != 0) return -1;
        ++to->feeds;
        return 0;
    }
    static int disable(int) {
        if (to->fail(to->no_way_out ? EBUSY : to->can_be_disabled ? 0 : EOPNOTSUPP) != 0) return -1;
        to->is_armed = false;
        return 0;
    }
    static ssize_t write(int, char byte) {
        if (to->fail(to->write_error) != 0) return -1;
        to->magic += byte == 'V';
        to->is_released = byte == 'V';
        return 1;
    }
    static int close(int descriptor) {
        if (descriptor != 77 || !to->is_open) return to->fail(EBADF);
        to->is_open = false;
        ++to->closed;
        if (to->is_released && !to->no_way_out) to->is_armed = false;
        return 0;
    }
};
struct playing {
    driver* const d = new (::mmap(nullptr, sizeof(driver), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) driver{};
    playing() {
        d->options = WDIOF_MAGICCLOSE | WDIOF_SETTIMEOUT | WDIOF_KEEPALIVEPING;
        d->identity = "Software Watchdog";
        d->timeout = 60;
        d->most = 65535;
        played::to = d;
    }
    ~playing() { ::munmap(d, sizeof(driver)); }
    driver* operator->() const { return d; }
};
using device = healthz::basic_watchdog_device<played>;

std::atomic<bool> is_moving = true;
std::atomic<int> asked = 0;
struct queue {
    static constexpr bool blocking = false;
    healthz::outcome probe() const {
        ++asked;
        return is_moving ? healthz::ok() : healthz::error("stalled");
    }
};
constexpr healthz::health_check often{.interval = 2ms, .timeout = 1s, .retries = 0};
constexpr auto sources =
    healthz::sources(source<"queue">(queue{}, often), source<"other">([] { return healthz::error("never mind"); }, often));
constexpr auto dog = healthz::watchdog<sources, 2500ms, "queue">{};
constexpr auto others = healthz::sources(source<"queue">(queue{}, often), source<"other">(queue{}, often));

template <class Condition>
bool in_time(Condition holds) {
    return eventually(holds, 60s);
}
// Waits for so many more feedings, or checks.
bool fed(driver const& d, int more) {
    return in_time([&, wanted = d.feeds + more] { return d.feeds >= wanted; });
}
bool checked(int more) {
    return in_time([wanted = asked + more] { return asked >= wanted; });
}

/// What the constructor throws, with its number.
template <class Device = device>
std::pair<int, std::string> refusal(healthz::watchdog_device_options how = {}) {
    try {
        Device const made(dog, std::move(how));
    } catch (std::system_error const& e) {
        return {e.code().value(), e.what()};
    }
    return {0, ""};
}

std::string temporary(char const* name) { return "/tmp/healthz_" + std::to_string(::getpid()) + "_" + name; }

}  // namespace

TEST_CASE("watchdog device: it is fed while the required source is OK, and only then") {
    playing const driver;
    is_moving = true;
    device guard(dog);
    CHECK(driver->is_armed);
    CHECK(guard.timeout() == 3s);  // whole seconds, and no less than the period
    CHECK(driver->timeout == 3);
    healthz::background<sources> checks(guard);
    CHECK(fed(*driver.d, 5));
    is_moving = false;
    CHECK(in_time([&] { return checks.snapshot().is(0, status::error); }));
    int const feeds = driver->feeds;
    CHECK(checked(20));
    CHECK(driver->feeds == feeds);
    is_moving = true;
    CHECK(fed(*driver.d, 3));
    checks.maintenance<"queue">(true);  // which is so on purpose
    CHECK(in_time([&] { return checks.snapshot().is(0, status::failed); }));
    CHECK(fed(*driver.d, 3));
    CHECK(guard.stop().empty());
    CHECK(!driver->is_armed);
    CHECK((driver->magic == 1 && driver->closed == 1 && !driver->is_open));
    int const in_all = driver->feeds;
    checks.maintenance<"queue">(false);
    CHECK(checked(5));
    CHECK(driver->feeds == in_all);
    CHECK(guard.stop().empty());
    CHECK(driver->closed == 1);
}

TEST_CASE("watchdog device: a runner feeds it, and a loop that stands still does not") {
    playing const driver;
    is_moving = true;
    device guard(dog);
    boost::asio::io_context context;
    healthz::runner<sources> runner(context.get_executor());
    runner.on_check(std::ref(guard));
    runner.start();
    auto const end = std::chrono::steady_clock::now() + 60s;
    while (driver->feeds < 5 && std::chrono::steady_clock::now() < end) context.run_one_for(100ms);
    int const feeds = driver->feeds;
    CHECK(feeds >= 5);
    std::this_thread::sleep_for(30ms);
    CHECK(driver->feeds == feeds);
    runner.stop();
}

TEST_CASE("watchdog device: it cannot be had, and the reason is told with what to do") {
    playing const driver;
    struct {
        int error;
        char const* text;
    } const all[] = {
        {ENOENT, "the watchdog /dev/watchdog cannot be opened, since there is none: load the driver"},
        {ENODEV, "there is none: load the driver of this machine's, or softdog"},
        {EACCES, "this user may not open it: in a systemd unit write DeviceAllow=/dev/watchdog rw"},
        {EPERM, "this user may not open it"},
        {EBUSY, "another program has it, such as systemd by RuntimeWatchdogSec="},
        {EMFILE, "the watchdog /dev/watchdog cannot be opened: Too many open files"},
    };
    for (auto const& each : all) {
        driver->open_error = each.error;
        auto const [error, text] = refusal();
        CHECK(error == each.error);
        CHECK_THAT(text, contains(each.text));
        CHECK_THAT(text, contains(std::strerror(each.error)));
    }
    CHECK((driver->opened == 0 && driver->closed == 0));
}

TEST_CASE("watchdog device: what is no watchdog is left as it is") {
    playing const driver;
    driver->support_error = ENOTTY;
    auto const [error, text] = refusal();
    CHECK(error == ENOTTY);
    CHECK_THAT(text, contains("the watchdog /dev/watchdog is no watchdog"));
    CHECK((driver->closed == 1 && driver->magic == 0));
}

TEST_CASE("watchdog device: a driver that stops with the program is refused, and disarmed") {
    playing const driver;
    driver->options = WDIOF_SETTIMEOUT;
    CHECK_THAT(refusal().second, contains("has no magic close, so that the end of this program"));
    CHECK((driver->closed == 1 && !driver->is_armed));
}

TEST_CASE("watchdog device: a timeout below the period is refused, and the device disarmed") {
    playing const driver;
    driver->most = 2;
    auto const [error, text] = refusal();
    CHECK(error == EINVAL);
    CHECK_THAT(text, contains("has a timeout of 2 s, and the period needs 3 s: write a shorter one, or open another watchdog"));
    CHECK((driver->closed == 1 && driver->magic == 1 && !driver->is_armed));
}

TEST_CASE("watchdog device: where it cannot be disarmed after that, this is told, too") {
    playing const driver;
    driver->most = 2;
    driver->no_way_out = true;
    CHECK_THAT(refusal().second, contains("; besides, the watchdog /dev/watchdog cannot be stopped (nowayout)"));
    CHECK(driver->is_armed);
}

TEST_CASE("watchdog device: a driver with a timeout of its own is taken if that is long enough") {
    playing const driver;
    driver->set_error = EOPNOTSUPP;
    {
        device const guard(dog);
        CHECK(guard.timeout() == 60s);
    }
    driver->timeout = 1;
    CHECK(refusal().first == EOPNOTSUPP);
    driver->get_error = EOPNOTSUPP;
    CHECK_THAT(refusal().second, contains("has a timeout of 0 s"));
    driver->set_error = 0;  // what SETTIMEOUT gives back is all there is
    device const guard(dog);
    CHECK(guard.timeout() == 3s);
}

TEST_CASE("watchdog device: nowayout is told when it is to be stopped") {
    playing const driver;
    driver->no_way_out = true;
    device guard(dog);
    CHECK_THAT(guard.stop(), contains("the watchdog /dev/watchdog cannot be stopped (nowayout): the machine is reset unless"));
    CHECK((driver->is_armed && !driver->is_open));
}

TEST_CASE("watchdog device: so is an error of the driver") {
    playing const driver;
    driver->write_error = EIO;
    device guard(dog);
    CHECK_THAT(guard.stop(), contains("the watchdog /dev/watchdog cannot be stopped: Input/output error"));
    CHECK(driver->is_armed);
    driver->can_be_disabled = true;
    device another(dog);
    CHECK(another.stop().empty());
    CHECK(!driver->is_armed);
}

TEST_CASE("watchdog device: a failure to feed is told once, and again after it was fed") {
    playing const driver;
    is_moving = true;
    std::mutex mutex;
    std::vector<std::string> told;
    auto const count = [&] {
        std::lock_guard lock(mutex);
        return told.size();
    };
    device guard(dog, {.on_error = [&](std::string_view text) {
                     std::lock_guard lock(mutex);
                     told.emplace_back(text);
                 }});
    driver->feed_error = EIO;
    healthz::background<sources> checks(guard);
    CHECK(in_time([&] { return count() == 1; }));
    CHECK(checked(10));
    CHECK(count() == 1);
    driver->feed_error = 0;
    CHECK(fed(*driver.d, 2));
    driver->feed_error = EIO;
    CHECK(in_time([&] { return count() == 2; }));
    std::lock_guard lock(mutex);
    CHECK(told[0] == "the watchdog /dev/watchdog cannot be fed: Input/output error");
}

TEST_CASE("watchdog device: it is not fed by checks of other sources") {
    playing const driver;
    is_moving = true;
    std::atomic<int> told = 0;
    device guard(dog, {.on_error = [&](std::string_view text) { told += text.find("checks of other sources") != text.npos; }});
    healthz::background<others> checks(guard);
    CHECK(in_time([&] { return told == 1; }));
    CHECK(checked(10));
    CHECK((told == 1 && driver->feeds == 1));  // by the constructor
}

TEST_CASE("watchdog device: that of IPMI is taken, though it does not say what it can, and counts from the constructor") {
    playing const driver;
    driver->options = 0;
    driver->identity = "IPMI";
    device guard(dog);
    CHECK((driver->is_armed && driver->feeds == 1));
    CHECK(guard.stop().empty());
    CHECK(!driver->is_armed);
    driver->feed_error = EIO;
    CHECK(refusal() == std::pair(EIO, std::string("the watchdog /dev/watchdog cannot be fed: Input/output error")));
    CHECK(!driver->is_armed);
}

TEST_CASE("watchdog device: calls that a signal interrupts are made again") {
    playing const driver;
    driver->interrupted = 3;
    device guard(dog);
    driver->interrupted = 2;
    CHECK(guard.stop().empty());
    CHECK((driver->opened == 1 && driver->magic == 1 && !driver->is_armed));
}

// ---- how a program can end

namespace {

template <class End>
int child(End end) {
    std::fflush(nullptr);
    auto const pid = ::fork();
    if (pid == 0) {
        for (int const each : {SIGABRT, SIGTERM, SIGSEGV}) ::signal(each, SIG_DFL);
        rlimit const none{0, 0};
        ::setrlimit(RLIMIT_CORE, &none);
        static_cast<void>(::freopen("/dev/null", "w", stderr));
        is_moving = true;
        end();
        ::_exit(0);
    }
    int state = 0;
    ::waitpid(pid, &state, 0);
    return state;
}
void feed_until_fed() {
    static std::optional<device> guard;  // so that std::exit destroys it
    static std::optional<healthz::background<sources>> checks;
    guard.emplace(dog);
    checks.emplace(*guard);
    if (!fed(*played::to, 3)) ::_exit(9);
}

}  // namespace

TEST_CASE("watchdog device: whatever ends the program but stop() leaves it armed") {
    struct {
        char const* name;
        void (*end)();
    } const all[] = {
        {"SIGKILL", [] { ::raise(SIGKILL); }},
        {"SIGTERM", [] { ::raise(SIGTERM); }},
        {"abort", [] { std::abort(); }},
        {"std::exit", [] { std::exit(0); }},
        {"_exit", [] { ::_exit(0); }},
        {"an exception", [] { std::thread([] { throw std::runtime_error("nobody catches it"); }).join(); }},
    };
    for (auto const& each : all) {
        playing const driver;
        auto const state = child([&] {
            feed_until_fed();
            each.end();
        });
        INFO(each.name);
        CHECK(!(WIFEXITED(state) && WEXITSTATUS(state) == 9));
        CHECK(driver->feeds >= 3);
        CHECK(driver->is_armed);
        CHECK(driver->magic == 0);
    }
}

TEST_CASE("watchdog device: a stack that an exception unwinds leaves it armed") {
    playing const driver;
    try {
        device const guard(dog);
        throw std::runtime_error("on the way");
    } catch (std::runtime_error const&) {}
    CHECK((driver->is_armed && driver->magic == 0 && driver->closed == 1));
}

TEST_CASE("watchdog device: a program that stops it leaves it disarmed, and its children stop nothing") {
    playing const driver;
    auto const state = child([] {
        device guard(dog);
        healthz::background<sources> checks(guard);
        if (!fed(*played::to, 3)) ::_exit(9);
        auto const of_child = child([&] {
            static_cast<void>(guard.stop());
            ::_exit(played::to->magic == 0 ? 0 : 8);
        });
        ::_exit(of_child == 0 && guard.stop().empty() ? 0 : 7);
    });
    CHECK(state == 0);
    CHECK((!driver->is_armed && driver->magic == 1));
}

// ---- real files and pipes

namespace {

/// Real calls, but for those that only a driver takes.
struct on_pipe : healthz::detail::watchdog_system {
    static inline int descriptor = -1;
    static int open(char const* path) { return descriptor = watchdog_system::open(path); }
    static int support(int, watchdog_info& info) { return info.options = WDIOF_MAGICCLOSE, 0; }
    static int set_timeout(int, int&) { return 0; }
    static int get_timeout(int, int&) { return errno = EOPNOTSUPP, -1; }
    static int keep_alive(int) { return 0; }
};
struct pipe_reader {
    std::string const path = temporary("fifo");
    int descriptor = -1;
    pipe_reader() {
        ::mkfifo(path.c_str(), 0600);
        descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    ~pipe_reader() {
        ::close(descriptor);
        ::unlink(path.c_str());
    }
    /// What came until the end; "open" where there is none.
    std::string all() const {
        std::string text;
        char byte = 0;
        ssize_t size = 0;
        while ((size = ::read(descriptor, &byte, 1)) == 1) text += byte;
        return size == 0 ? text : text + "open";
    }
};

}  // namespace

TEST_CASE("watchdog device: the magic byte is written before the close, and not without stop()") {
    using guard = healthz::basic_watchdog_device<on_pipe>;
    pipe_reader const pipe;
    {
        guard one(dog, {.path = pipe.path});
        CHECK((::fcntl(on_pipe::descriptor, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(pipe.all() == "open");
        CHECK(one.stop().empty());
        CHECK(pipe.all() == "V");
        CHECK(::fcntl(on_pipe::descriptor, F_GETFD) == -1);
    }
    { guard const other(dog, {.path = pipe.path}); }
    CHECK(pipe.all().empty());
}

TEST_CASE("watchdog device: the system's own calls, on what is no device") {
    auto const path = temporary("file");
    CHECK(refusal<healthz::watchdog_device>({.path = path}).first == ENOENT);
    CHECK(refusal<healthz::watchdog_device>({.path = "/tmp"}).first == EISDIR);
    std::ofstream(path) << "precious";
    auto const [error, text] = refusal<healthz::watchdog_device>({.path = path});
    CHECK(error == ENOTTY);
    CHECK_THAT(text, contains("the watchdog " + path + " is no watchdog"));
    std::string kept;
    std::ifstream(path) >> kept;
    CHECK(kept == "precious");
    ::chmod(path.c_str(), 0);
    bool const is_root = ::geteuid() == 0;
    if (is_root) CHECK(::seteuid(65534) == 0);
    auto const denied = refusal<healthz::watchdog_device>({.path = path});
    if (is_root) CHECK(::seteuid(0) == 0);
    CHECK(denied.first == EACCES);
    CHECK_THAT(denied.second, contains("this user may not open it"));
    ::unlink(path.c_str());
}
