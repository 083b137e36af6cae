// SPDX-License-Identifier: BSL-1.0
// The machine's own watchdog, /dev/watchdog, fed while the required sources are OK and still checked.
// Needs Linux and the standard library.
#pragma once

#include "../cycle.hpp"
#include "../declaration.hpp"
#include "../record.hpp"
#include "../watchdog.hpp"
#include "any_watchdog.hpp"
#include "print_error.hpp"
#include "status_line.hpp"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace healthz {

/// The options of a `watchdog_device`.
struct watchdog_device_options {
    std::string path = "/dev/watchdog";
    /// Called on the thread of the checks when feeding begins to fail, and at each failure of another kind. Without it that is a line on
    /// standard error.
    std::function<void(std::string_view)> on_error{};
};

namespace detail {

/// What a watchdog asks of the system. Each returns what the call of its name does, and leaves its error in `errno`.
struct watchdog_system {
    static int open(char const* path) { return ::open(path, O_WRONLY | O_CLOEXEC); }
    static int support(int descriptor, watchdog_info& info) { return ::ioctl(descriptor, WDIOC_GETSUPPORT, &info); }
    static int set_timeout(int descriptor, int& seconds) { return ::ioctl(descriptor, WDIOC_SETTIMEOUT, &seconds); }
    static int get_timeout(int descriptor, int& seconds) { return ::ioctl(descriptor, WDIOC_GETTIMEOUT, &seconds); }
    static int keep_alive(int descriptor) { return ::ioctl(descriptor, WDIOC_KEEPALIVE, nullptr); }
    static int disable(int descriptor) {
        int options = WDIOS_DISABLECARD;
        return ::ioctl(descriptor, WDIOC_SETOPTIONS, &options);
    }
    static ssize_t write(int descriptor, char byte) { return ::write(descriptor, &byte, 1); }
    static int close(int descriptor) { return ::close(descriptor); }
};

}  // namespace detail

/// Feeds the watchdog of the machine, which resets it unless it is fed: once each time that a `healthz::watchdog` may feed, so while every
/// required source is OK (off and maintenance count as OK) and still checked. Tell it of each check:
///
///     healthz::watchdog_device device(healthz::watchdog<sources, 30s, "queue">{});
///     healthz::background<sources> checks(device);
///
/// The machine is reset within the device's timeout, `timeout()`, after the last feeding: if a required source is not OK, the loop that
/// checks or the whole system stands still, or the program ends in any way but by `stop()`. The timeout counts from the constructor.
///
/// Only `stop()` disarms it. No destructor does: it also runs where an exception unwinds the stack and in `std::exit`, and who lets an object
/// go has not said that the machine may go on unguarded. A program that was told to end calls `stop()` last. A driver that would be disarmed
/// by the mere end of the program (one without magic close) is refused; that of IPMI has it, and is taken though it does not say so.
/// The descriptor is closed on exec. A child after `fork` feeds and stops nothing; while it runs the device stays open, so that a new
/// program cannot open it: let it execute a program. Thread safe. A feeding takes as long as the driver's own does, and the
/// checks with it: some reach their hardware over a slow bus.
/// `System` is what it calls, for tests.
template <class System>
class basic_watchdog_device {
public:
    /// Opens the device, which arms it, and sets its timeout to the watchdog's period, in whole seconds. Throws std::system_error, whose
    /// text says what to do, where there is none or it may not be opened, another program has it, or it takes only less than the period;
    /// then the device is disarmed again, as far as it lets itself be.
    template <auto const& Sources, watchdog_period Period, required_source... Required>
    explicit basic_watchdog_device(watchdog<Sources, Period, Required...> dog, watchdog_device_options how = {}, System system = {})
        : system_(std::move(system)), how_(std::move(how)), watchdog_(std::move(dog)), checked_(size_of<Sources>), told_(size_of<Sources>) {
        open();
        if (auto const complaint = arm(); !complaint.empty()) {
            auto const error = errno_;
            auto const rest = is_watchdog_ ? disarm() : close();
            throw std::system_error(error, std::generic_category(), complaint + (rest.empty() ? "" : "; besides, " + rest));
        }
    }
    ~basic_watchdog_device() {
        if (descriptor_ >= 0) system_.close(descriptor_);
    }
    basic_watchdog_device(basic_watchdog_device const&) = delete;
    basic_watchdog_device& operator=(basic_watchdog_device const&) = delete;

    /// Takes in a check that has ended, and feeds the device if that may be. For `on_check` of a runner, a background or a server; a
    /// background also takes this object.
    void update(event const& e) {
        auto const complaint = take_in(e);
        if (complaint.empty()) return;
        if (how_.on_error) how_.on_error(complaint);
        else healthz::detail::print_error(complaint);
    }
    void operator()(event const& e) { update(e); }

    /// After how long without being fed it resets the machine: the period, or more where the driver takes no less.
    std::chrono::seconds timeout() const { return std::chrono::seconds(timeout_); }

    /// Disarms the device: the machine goes on without it. For the end that is meant, once. Returns why it is armed all the same, as a
    /// sentence for people, or nothing: a kernel with `nowayout` lets no watchdog be stopped.
    std::string stop() {
        std::lock_guard lock(mutex_);
        if (descriptor_ < 0 || !is_own_process()) return {};
        return disarm();
    }

private:
    std::string about(std::string_view what, int error = 0) const {
        auto text = "the watchdog " + how_.path + ' ' + std::string(what);
        return error == 0 ? text : text + ": " + std::generic_category().message(error);
    }
    template <class Call>
    static auto again(Call call) {  // where a signal was in the way
        auto result = call();
        while (result < 0 && errno == EINTR) result = call();
        return result;
    }
    bool is_own_process() const { return ::getpid() == process_; }

    void open() {
        descriptor_ = again([&] { return system_.open(how_.path.c_str()); });
        if (descriptor_ >= 0) return;
        auto const error = errno;
        std::string_view const advice =
            error == ENOENT || error == ENODEV || error == ENXIO
                ? "there is none: load the driver of this machine's, or softdog, and in a systemd unit leave PrivateDevices= out"
            : error == EACCES || error == EPERM
                ? "this user may not open it: in a systemd unit write DeviceAllow=/dev/watchdog rw, and give its group the device"
            : error == EBUSY ? "another program has it, such as systemd by RuntimeWatchdogSec=: leave that out, or open another one"
                             : "";
        throw std::system_error(error, std::generic_category(),
                                about(advice.empty() ? "cannot be opened" : "cannot be opened, since " + std::string(advice)));
    }

    // Returns what is wrong, with its number in `errno_`, or nothing.
    std::string arm() {
        watchdog_info info{};
        if (again([&] { return system_.support(descriptor_, info); }) != 0) {
            errno_ = errno;
            return about("is no watchdog");
        }
        is_watchdog_ = true;
        errno_ = ENOTSUP;
        bool const is_ipmi =
            std::string_view(reinterpret_cast<char const*>(info.identity)).starts_with("IPMI");  // which does not say that it has it
        if ((info.options & WDIOF_MAGICCLOSE) == 0 && !is_ipmi)
            return about("has no magic close, so that the end of this program, whatever it came from, would stop it");
        auto const wanted = static_cast<int>((watchdog_.period().count() + 999) / 1000);
        auto seconds = wanted;
        bool const is_set = again([&] { return system_.set_timeout(descriptor_, seconds); }) == 0;
        auto const error = errno;
        int now = 0;
        if (again([&] { return system_.get_timeout(descriptor_, now); }) == 0) seconds = now;
        else if (!is_set) seconds = 0;
        errno_ = is_set ? EINVAL : error;
        if (seconds < wanted)
            return about("has a timeout of " + std::to_string(seconds) + " s, and the period needs " + std::to_string(wanted) +
                         " s: write a shorter one, or open another watchdog");
        timeout_ = seconds;
        if (again([&] { return system_.keep_alive(descriptor_); }) == 0) return {};  // from which some drivers begin to count
        errno_ = errno;
        return about("cannot be fed");
    }

    std::string close() {
        system_.close(std::exchange(descriptor_, -1));
        return {};
    }
    // The magic byte disarms it at the close that follows. Of what nothing can disarm only the call before that says so.
    std::string disarm() {
        bool const is_disabled = again([&] { return system_.disable(descriptor_); }) == 0;
        bool const has_no_way_out = !is_disabled && errno == EBUSY;
        bool const is_released = again([&] { return system_.write(descriptor_, 'V'); }) == 1;
        auto const error = errno;
        close();
        if (has_no_way_out) return about("cannot be stopped (nowayout): the machine is reset unless a program opens it again");
        return is_disabled || is_released ? std::string() : about("cannot be stopped", error);
    }

    // Returns what there is to be told, once for each kind of it.
    std::string take_in(event const& e) {
        std::lock_guard lock(mutex_);
        if (descriptor_ < 0 || !is_own_process()) return {};
        if (!watchdog_.watches(e.report))
            return once(-1) ? about("is not fed, since it is told of checks of other sources") : std::string();
        ++checked_[e.index];
        told_[e.index].maintenance = e.record.maintenance;
        if (!watchdog_.may_feed({e.report, told_}, checked_)) return {};
        if (again([&] { return system_.keep_alive(descriptor_); }) == 0) {
            told_error_ = 0;
            return {};
        }
        auto const error = errno;
        return once(error) ? about("cannot be fed", error) : std::string();
    }
    bool once(int error) { return std::exchange(told_error_, error) != error; }

    System system_;
    watchdog_device_options how_;
    std::mutex mutex_;
    detail::any_watchdog watchdog_;
    std::vector<tick> checked_;  // counts the checks of each source
    std::vector<detail::told_source> told_;
    int descriptor_ = -1;
    int timeout_ = 0;
    int errno_ = 0;
    int told_error_ = 0;
    bool is_watchdog_ = false;
    pid_t process_ = ::getpid();
};

/// That of Linux.
using watchdog_device = basic_watchdog_device<detail::watchdog_system>;

}  // namespace healthz
