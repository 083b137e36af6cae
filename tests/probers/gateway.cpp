// SPDX-License-Identifier: BSL-1.0
// memory, load, temperature, clock_sync and mount_point: on texts of the kernel that lie in folders, and on the kernel that runs the tests.
#include <healthz/probers/clock_sync.hpp>
#include <healthz/probers/interface.hpp>
#include <healthz/probers/load.hpp>
#include <healthz/probers/memory.hpp>
#include <healthz/probers/mount_point.hpp>
#include <healthz/probers/temperature.hpp>
#include "support.hpp"
#include "system.hpp"
#include "../environment.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace test;

using healthz::clock_sync;
using healthz::env;
using healthz::interface;
using healthz::load;
using healthz::memory;
using healthz::mount_point;
using healthz::status;
using healthz::temperature;

namespace {

constexpr auto gateway =
    healthz::sources(healthz::source<"memory">(memory{.least_percent = 10, .most_full_pressure = 5}, {.interval = 10s}),
                     healthz::source<"load">(load{.most_per_processor = 2}, {.interval = 1min}),
                     healthz::source<"case">(temperature{.most_celsius = 85, .sensor = "cpu-thermal"}, {.interval = 10s, .fall = 3}),
                     healthz::source<"clock">(clock_sync{.most_maximum_error = 1s}, {.interval = 1min}),
                     healthz::source<"uplink">(interface{.name = env("UPLINK", "eth0"), .address = interface::any}, {.interval = 5s}),
                     healthz::source<"data">(mount_point{.path = "/data", .type = "ext4"}, {.interval = 10s}));

constexpr auto sources = healthz::sources(
    healthz::source<"memory">(memory{.least_percent = 10, .proc = env("GATEWAY_PROC")}, {.interval = 50ms, .retries = 0}),
    healthz::source<"load">(load{.most_per_processor = 2, .proc = env("GATEWAY_PROC")}, {.interval = 50ms, .retries = 0}),
    healthz::source<"case">(temperature{.most_celsius = 70, .sys = env("GATEWAY_SYS")}, {.interval = 50ms, .retries = 0}),
    healthz::source<"data">(mount_point{.path = "/data", .table = env("GATEWAY_MOUNTS")}, {.interval = 50ms, .retries = 0}),
    healthz::source<"clock">(clock_sync{}, {.interval = 50ms, .retries = 0}));

std::string const no_file = ": No such file or directory";

}  // namespace

TEST_CASE("memory: enough is available, too little, and what cannot be told") {
    folder const here;
    auto const with = [&](std::string const& meminfo, std::uint64_t bytes, int percent = 0) {
        here.write("meminfo", meminfo);
        return look(memory{.least_bytes = bytes, .least_percent = percent, .proc = here.path.c_str()});
    };
    std::string const text = "MemTotal:       10000 kB\nMemFree:        2000 kB\nMemAvailable:   1000 kB\nSwapTotal:      0 kB\n";
    CHECK(with(text, 1'024'000) == "OK null");
    CHECK(with(text, 1'024'001) == error("memory almost used up", "1024000 bytes are available, not 1024001"));
    CHECK(with(text, 0, 10) == "OK null");
    CHECK(with(text, 0, 11) == error("memory almost used up", "1024000 of 10240000 bytes are available, not 11 %"));
    CHECK(with(text, 1, 11) == with(text, 0, 11));
    auto const unreadable = error("memory cannot be read", here.path + "/meminfo: no MemAvailable and MemTotal");
    for (std::string const value :
         {"", "   ", "many kB", "-1 kB", "1.5 kB", "0x10 kB", "99999999999999999999 kB", "18446744073709551615 kB"}) {
        CHECK(with("MemTotal: 10000 kB\nMemAvailable:" + value, 1) == unreadable);
        CHECK(with("MemTotal:" + value + "\nMemAvailable: 1 kB", 1) == unreadable);
    }
    CHECK(with("", 1) == unreadable);
    CHECK(with("\xFF\xFE", 1) == unreadable);
    CHECK(look(memory{.least_bytes = 1, .proc = "/nowhere"}) == error("memory cannot be read", "/nowhere/meminfo" + no_file));
    CHECK(look(memory{.least_bytes = 1, .proc = "\xE4\xFF"}) == error("memory cannot be read", "\uFFFD\uFFFD/meminfo" + no_file));
    CHECK(look(memory{.least_bytes = 1, .proc = env("GATEWAY_UNSET")}) == R"(FAILED "environment variable 'GATEWAY_UNSET' not set")");
    CHECK(look(memory{}) == R"(FAILED "the setting 'least_bytes' is not set")");
    CHECK(look(memory{.least_bytes = 1, .least_percent = 1}) == "OK null");
    CHECK_THAT(look(memory{.least_bytes = std::uint64_t(1) << 60}), contains(" bytes are available, not 1152921504606846976"));
}

TEST_CASE("memory: processes wait for it, and a kernel that does not say so") {
    folder const here;
    auto const with = [&](std::optional<double> some, std::optional<double> full) {
        return look(memory{.most_some_pressure = some, .most_full_pressure = full, .proc = here.path.c_str()});
    };
    auto const path = here.path + "/pressure/memory";
    auto const unknown = [&](std::string const& setting) {
        return R"(FAILED "the setting ')" + setting + "' needs a kernel that measures it: " + path + no_file + '"';
    };
    CHECK(with(10, {}) == unknown("most_some_pressure"));
    CHECK(with(10, 10) == unknown("most_some_pressure"));
    CHECK(with({}, 10) == unknown("most_full_pressure"));

    here.write("pressure/memory", "some avg10=12.34 avg60=50.00 avg300=0.12 total=123\nfull avg10=0.50 avg60=40.00 avg300=0.00 total=45\n");
    CHECK(with(12.34, 0.5) == "OK null");
    CHECK(with(12.33, {}) == error("memory pressure", "some avg10=12.34 %, more than 12.33 %"));
    CHECK(with({}, 0) == error("memory pressure", "full avg10=0.5 %, more than 0 %"));
    for (std::string const& value : std::vector<std::string>{"", "x", "nan", "inf", "1e999", "12,34", "12.", ".5", "-1", "1.2.3",
                                                             "0." + std::string(400, '0') + "1"}) {
        here.write("pressure/memory", "some avg10=" + value + " avg60=0.00\n");
        CHECK(with(100, {}) == error("memory pressure cannot be read", path + ": no some avg10="));
        CHECK(with({}, 100) == error("memory pressure cannot be read", path + ": no full avg10="));
    }
    // The memory comes first, and one limit does not need the other's file.
    CHECK(look(memory{.least_bytes = 1, .most_full_pressure = 1, .proc = here.path.c_str()}) ==
          error("memory cannot be read", here.path + "/meminfo" + no_file));
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    CHECK(with(100, 100) == error("memory pressure cannot be read", path + ": Is a directory"));
    if (std::ifstream("/proc/pressure/memory")) CHECK(look(memory{.most_some_pressure = 100, .most_full_pressure = 100}) == "OK null");
    else WARN("skipped: this kernel does not measure pressure");
}

TEST_CASE("memory: wrong limits are told while compiling") {
    static_assert(memory{}.complaint() != nullptr && memory{.least_percent = 101}.complaint() != nullptr);
    static_assert(memory{.least_bytes = 1, .least_percent = -1}.complaint() != nullptr);
    static_assert(memory{.most_some_pressure = 100.5}.complaint() != nullptr && memory{.most_full_pressure = -1}.complaint() != nullptr);
    static_assert(memory{.least_bytes = 1, .proc = nullptr}.complaint() != nullptr);
    static_assert(memory{.least_bytes = 1}.complaint() == nullptr && memory{.least_percent = 100}.complaint() == nullptr);
    static_assert(memory{.most_full_pressure = 0, .proc = env("X", "/proc")}.complaint() == nullptr);
}

TEST_CASE("load: each processor has enough to do, or too much") {
    folder const here;
    auto const processors = ::sysconf(_SC_NPROCESSORS_ONLN);
    auto const with = [&](std::string const& content, int minutes = 5, double most = 1.5) {
        here.write("loadavg", content);
        return look(load{.most_per_processor = most, .minutes = minutes, .proc = here.path.c_str()});
    };
    auto const times = [&](long load) { return std::to_string(processors * load) + ".00"; };
    auto const text = times(1) + " " + times(2) + " " + times(3) + " 1/123 4567\n";
    auto const over = [&](long load, std::string const& most) {
        auto const on = std::to_string(processors * load) + " on " + std::to_string(processors) + " processors";
        return error("overloaded", on + ", more than " + most + " on each");
    };
    CHECK(with(text, 1, 1) == "OK null");
    CHECK(with(text, 1, 0.75) == over(1, "0.75"));
    CHECK(with(text, 5, 2) == "OK null");
    CHECK(with(text) == over(2, "1.5"));
    CHECK(with(text, 15, 3) == "OK null");
    CHECK(with(text, 15, 2) == over(3, "2"));
    auto const unreadable = error("load cannot be read", here.path + "/loadavg: no load average");
    for (std::string const content : {"", "\n", "x", "0.1", "0.1 ", "0.1 nan 0.1", "0.1 inf 0.1", "0.1 0,1 0.1", "0.1 \xFF 0.1"})
        CHECK(with(content) == unreadable);
    CHECK(look(load{.most_per_processor = 1, .proc = "/nowhere"}) == error("load cannot be read", "/nowhere/loadavg" + no_file));
    CHECK(look(load{.most_per_processor = 1, .proc = nullptr}) == R"(FAILED "the setting 'proc' is not set")");
    CHECK(look(load{}) == R"(FAILED "the setting 'most_per_processor' is not set")");
    here.write("loadavg", "6.00 6.00 6.00 1/123 4567\n");
    here.write("stat", "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\ncpu11 1 2 3\nintr 4\ncpu12 1\n");  // three processors, whoever may use them
    CHECK(look(load{.most_per_processor = 2, .proc = here.path.c_str()}) == "OK null");
    CHECK(look(load{.most_per_processor = 1.5, .proc = here.path.c_str()}) ==
          error("overloaded", "6 on 3 processors, more than 1.5 on each"));
    for (int const minutes : {1, 5, 15}) CHECK(look(load{.most_per_processor = 1e6, .minutes = minutes}) == "OK null");
    static_assert(load{}.complaint() != nullptr && load{.most_per_processor = -1}.complaint() != nullptr);
    static_assert(load{.most_per_processor = 1, .minutes = 10}.complaint() != nullptr);
    static_assert(load{.most_per_processor = 1, .proc = nullptr}.complaint() != nullptr);
    static_assert(load{.most_per_processor = 0.5, .minutes = 15}.complaint() == nullptr);
}

TEST_CASE("temperature: the hottest sensor, that of a name, and those that cannot be read") {
    folder const here;
    auto const with = [&](double most, char const* sensor = nullptr) {
        return look(temperature{.most_celsius = most, .sensor = sensor, .sys = here.path.c_str()});
    };
    CHECK(with(85) == error("no temperature sensor", here.path));
    CHECK(with(85, "cpu-thermal") == error("no such temperature sensor", here.path + ": cpu-thermal"));

    here.write("class/thermal/thermal_zone0/type", "cpu-thermal\n");
    auto const zone = here.write("class/thermal/thermal_zone0/temp", "70500\n");
    here.write("class/thermal/cooling_device0/type", "fan\n");
    here.write("class/hwmon/hwmon0/name", "nvme\n");
    here.write("class/hwmon/hwmon0/temp1_label", "Composite\n");
    here.write("class/hwmon/hwmon0/temp1_input", "40850\n");
    here.write("class/hwmon/hwmon0/temp1_crit", "99000\n");
    here.write("class/hwmon/hwmon0/temp2_label", "Sensor 2\n");
    here.write("class/hwmon/hwmon0/temp2_input", "-5000\n");
    here.write("class/hwmon/hwmon1/name", "lm75\n");
    auto const board = here.write("class/hwmon/hwmon1/temp1_input", "30000\n");
    auto const hot = [](std::string const& what, std::string const& most) {
        return error("too hot", what + " degrees Celsius, more than " + most);
    };
    CHECK(with(70.5) == "OK null");
    CHECK(with(70) == hot("cpu-thermal: 70.5", "70"));
    CHECK(with(70.499, "cpu-thermal") == hot("cpu-thermal: 70.5", "70.499"));
    CHECK(with(40, "nvme") == hot("nvme, Composite: 40.85", "40"));
    CHECK(with(40, "Composite") == hot("nvme, Composite: 40.85", "40"));
    CHECK(with(-5, "Sensor 2") == "OK null");
    CHECK(with(-5.5, "Sensor 2") == hot("nvme, Sensor 2: -5", "-5.5"));
    CHECK(with(29, "lm75") == hot("lm75: 30", "29"));
    CHECK(with(85, "nvm") == error("no such temperature sensor", here.path + ": nvm"));
    CHECK(with(85, "fan") == error("no such temperature sensor", here.path + ": fan"));
    CHECK(with(85, "\xE4") == error("no such temperature sensor", here.path + ": \uFFFD"));

    here.write("class/hwmon/hwmon1/name", "\xE4\n");
    CHECK(with(29, "\xE4") == hot("\uFFFD: 30", "29"));
    std::filesystem::remove(here.path + "/class/hwmon/hwmon1/name");
    here.write("class/hwmon/hwmon1/temp1_input", "90000");
    CHECK(with(85) == hot(board + ": 90", "85"));  // it has no name
    here.write("class/hwmon/hwmon1/temp1_fault", "1\n");
    CHECK(with(85) == "OK null");
    here.write("class/hwmon/hwmon1/temp1_fault", "0\n");
    CHECK(with(85) == hot(board + ": 90", "85"));
    for (std::string const content : {"", "\n", "warm", "1.5", "99999999999999999999", "\xFF"}) {
        here.write("class/thermal/thermal_zone0/temp", content);
        CHECK(with(89) == hot(board + ": 90", "89"));
        CHECK(with(85, "cpu-thermal") == error("temperature cannot be read", zone + ": no number"));
    }
    std::filesystem::remove(zone);
    std::filesystem::create_directory(zone);
    CHECK(with(85, "cpu-thermal") == error("temperature cannot be read", zone + ": Is a directory"));
    here.write("class/hwmon/hwmon1/name", "lm75\n");
    here.write("class/hwmon/hwmon1/temp1_fault", "1\n");
    CHECK(with(85, "lm75") == error("temperature cannot be read", here.path + "/class/hwmon/hwmon1/temp1_fault: the sensor is broken"));

    auto const other = here.path + "/[*?\\]";  // a name, and no pattern
    here.write("[*?\\]/class/thermal/thermal_zone0/temp", "50000");
    CHECK(look(temperature{.most_celsius = 50, .sys = other.c_str()}) == "OK null");
    CHECK_THAT(look(temperature{.most_celsius = 1000}),  // whatever this machine has
               contains("OK null") || contains("no temperature sensor") || contains("temperature cannot be read"));
    CHECK(look(temperature{}) == R"(FAILED "the setting 'most_celsius' is not set")");
    CHECK(look(temperature{.most_celsius = 1, .sensor = env("GATEWAY_UNSET")}) ==
          R"(FAILED "environment variable 'GATEWAY_UNSET' not set")");
    CHECK(look(temperature{.most_celsius = 1, .sys = nullptr}) == R"(FAILED "the setting 'sys' is not set")");
    static_assert(temperature{}.complaint() != nullptr && temperature{.most_celsius = 1, .sys = nullptr}.complaint() != nullptr);
    static_assert(temperature{.most_celsius = -18, .sensor = "freezer"}.complaint() == nullptr);
}

TEST_CASE("clock_sync: synchronised, exact enough, and what the kernel that runs the tests says") {
    auto const told = [](int state, int status, long estimated, long maximum) {
        ::timex clock{};
        clock.status = status;
        clock.esterror = estimated;
        clock.maxerror = maximum;
        auto const found = clock_sync{.most_estimated_error = 10ms, .most_maximum_error = 1s}.judge(state, clock);
        return std::string(to_string(found.status())) + " " + std::string(found.json());
    };
    CHECK(told(TIME_OK, STA_PLL | STA_NANO, 10'000, 1'000'000) == "OK null");
    CHECK(told(TIME_INS, STA_PLL | STA_INS, 0, 0) == "OK null");  // a leap second comes
    CHECK(told(TIME_OK, STA_PLL, 10'001, 0) == error("clock is not exact", "estimated error: 10001 us, more than 10 ms"));
    CHECK(told(TIME_OK, STA_PLL, 0, 1'000'001) == error("clock is not exact", "maximum error: 1000001 us, more than 1000 ms"));
    CHECK(told(TIME_ERROR, STA_PLL | STA_UNSYNC, 0, 0) == error("clock is not synchronised", "STA_UNSYNC"));
    CHECK(told(TIME_ERROR, STA_PPSFREQ, 0, 0) == error("clock is not synchronised", "TIME_ERROR"));

    ::timex before{}, after{};
    std::string found;
    do {  // until nothing came between
        int const state = ::adjtimex(&before);
        found = look(clock_sync{});
        if (state != ::adjtimex(&after)) before.status = ~after.status;
        else if (state == TIME_ERROR && (after.status & STA_UNSYNC) == 0) found += " ";
    } while (before.status != after.status);
    if ((after.status & STA_UNSYNC) != 0) CHECK(found == error("clock is not synchronised", "STA_UNSYNC"));
    else CHECK((found == "OK null" || found == error("clock is not synchronised", "TIME_ERROR") + " "));
    static_assert(clock_sync{}.complaint() == nullptr && clock_sync{.most_maximum_error = 1s}.complaint() == nullptr);
    static_assert(clock_sync{.most_estimated_error = -1ms}.complaint() != nullptr);
    static_assert(clock_sync{.most_maximum_error = -1ms}.complaint() != nullptr);
}

TEST_CASE("mount_point: what a table of mounts says") {
    folder const here;
    auto const table = here.write("mountinfo",
                                  "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw,errors=remount-ro\n"
                                  "22 21 0:21 / /proc rw,nosuid shared:5 master:2 - proc proc rw\n"
                                  "23 21 7:0 / /data rw,noatime - ext4 /dev/sda1 rw,errors=remount-ro,emergency_ro\n"
                                  "24 21 7:1 / /flash rw,noatime - ext4 /dev/sda2 ro\n"
                                  "25 21 7:2 / /etc ro,noatime - overlay overlay rw,lowerdir=/ro,upperdir=/a\n"
                                  "26 21 0:40 / /a\\040b\\011\\012\\134040c rw - tmpfs x\\043y rw\n"
                                  "27 21 0:41 / /empty rw - tmpfs  rw,size=4k\n"
                                  "28 21 0:42 / /twice ro - ext4 /dev/sda3 ro\n"
                                  "29 28 0:43 / /twice rw - xfs /dev/sda4 rw\n"
                                  "30 21 0:44 / /home rw - autofs systemd-1 rw,fd=5\n"
                                  "31 21 0:45 / /mnt rw - autofs systemd-1 rw,fd=6\n"
                                  "32 31 0:46 / /mnt rw - nfs4 host:/export rw\n"
                                  "33 21 0:47 / /r\xE4om rw - tmpfs none rw\n"
                                  "34 21 0:48 / /gone//deleted rw - tmpfs none rw\n"
                                  "this is no mount at all\n"
                                  "35 21 0:49 / /late rw - \xFF\xFE none rw");
    auto const at = [&](char const* path, std::string_view type = {}, bool may_be_read_only = false) {
        return look(mount_point{.path = path, .type = type, .may_be_read_only = may_be_read_only, .table = table.c_str()});
    };
    for (auto const* path : {"/", "/proc", "/proc/", "/proc///", "/a b\t\n\\040c", "/empty", "/twice", "/mnt", "/r\xE4om", "/late"})
        CHECK(at(path) == "OK null");
    CHECK(at("/data") == error("mounted read-only", "/data: ext4"));
    CHECK(at("/flash") == error("mounted read-only", "/flash: ext4"));
    CHECK(at("/etc", "overlay") == error("mounted read-only", "/etc: overlay"));
    for (auto const* path : {"/data", "/flash", "/etc", "/"}) CHECK(at(path, {}, true) == "OK null");
    for (std::string const path : {"/dat", "/data/x", "data", "/home", "/gone", "/a\\\\040b"})
        CHECK(at(path == "/a\\\\040b" ? "/a\\040b" : path.c_str()) == error("not mounted", path));
    CHECK(at("/\xFF") == error("not mounted", "/\uFFFD"));
    CHECK(at("/mnt", "nfs4") == "OK null");
    CHECK(at("/home", "autofs") == "OK null");
    CHECK(at("/twice", "ext4") == error("another file system is mounted", "/twice: xfs, not ext4"));
    CHECK(at("/late", "ext4") == error("another file system is mounted", "/late: \uFFFD\uFFFD, not ext4"));

    auto const in = [](std::string const& from) { return look(mount_point{.path = "/", .table = from.c_str()}); };
    CHECK(in("/nowhere") == error("mount table cannot be read", "/nowhere" + no_file));
    CHECK(in("/tmp") == error("mount table cannot be read", "/tmp: Is a directory"));
    for (auto const& content : {std::string(), std::string("\n \n - \n"), std::string("\0\n", 2), std::string(100'000, 'x')})
        CHECK(in(here.write("other", content)) == error("mount table cannot be read", here.path + "/other: no mounts are in it"));
    CHECK(look(mount_point{.path = nullptr}) == R"(FAILED "the setting 'path' is not set")");
    CHECK(look(mount_point{.path = "/", .table = nullptr}) == R"(FAILED "the setting 'table' is not set")");
    CHECK(look(mount_point{.path = "/proc", .type = "proc", .may_be_read_only = true}) == "OK null");
    static_assert(mount_point{}.complaint() != nullptr && mount_point{.path = "/data", .table = nullptr}.complaint() != nullptr);
    static_assert(mount_point{.path = env("X"), .type = "ext4"}.complaint() == nullptr);
}

TEST_CASE("mount_point: file systems that come, go and become read-only") {
    folder const here;
    auto const path = here.path + "/a b\\040c";
    auto const image = here.write("image", "");
    std::filesystem::create_directory(path);
    std::filesystem::resize_file(image, 8 << 20);
    std::vector<std::string> found;
    bool is_alone = false, has_error = false;
    std::thread([&] {  // in a namespace of its own
        mount_point const settings{.path = path.c_str(), .table = "/proc/thread-self/mountinfo"};
        auto const run = [&](std::string const& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; };
        is_alone = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
        if (!is_alone) return;
        found.push_back(look(settings));
        ::mount("", path.c_str(), "tmpfs", 0, "size=1m");
        found.push_back(look(settings));
        ::mount("", path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
        found.push_back(look(settings));
        ::umount(path.c_str());
        found.push_back(look(settings));
        // An error that ext4 finds: some kernels show it as "ro", newer ones as "emergency_ro", and some in between not at all.
        if (!run("mkfs.ext4 -q " + image) || !run("mount -o loop,errors=remount-ro " + image + " '" + path + "'")) return;
        found.push_back(look(settings));
        has_error = run("echo test | tee /sys/fs/ext4/$(losetup -nO NAME -j " + image + " | xargs basename)/trigger_fs_error");
        found.push_back(look(settings));
        ::umount(path.c_str());
    })
        .join();
    if (!is_alone) {
        WARN("skipped: this process may not mount a file system");
        return;
    }
    auto const shown = here.path + R"(/a b\\040c)";
    std::vector<std::string> const wanted = {error("not mounted", shown), "OK null", error("mounted read-only", shown + ": tmpfs"),
                                             error("not mounted", shown), "OK null", error("mounted read-only", shown + ": ext4")};
    auto const sure = std::min<std::size_t>(found.size(), 5);
    CHECK(std::equal(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(sure), found.begin()));
    CHECK(found.size() >= 4);
    if (has_error && found.back() != "OK null") CHECK(found.back() == wanted.back());
    else WARN("skipped: this system has no ext4 that shows its errors");
}

TEST_CASE("memory and its neighbours in a runner") {
    folder const here;
    static_assert(healthz::size_of<gateway> == 6 && healthz::worst_case_detection<gateway>() <= 5min);
    test::set_variable("GATEWAY_PROC", here.path);
    test::set_variable("GATEWAY_SYS", here.path);
    test::set_variable("GATEWAY_MOUNTS", here.path + "/mountinfo");
    here.write("meminfo", "MemTotal: 1000 kB\nMemAvailable: 100 kB\n");
    here.write("loadavg", "1.00 1.00 1.00 1/123 4567\n");
    here.write("class/thermal/thermal_zone0/temp", "70000\n");
    here.write("mountinfo", "23 21 7:0 / /data rw,noatime - ext4 /dev/sda1 rw\n");
    live<sources> monitor;
    for (std::size_t i = 0; i < 4; ++i) CHECK(monitor.becomes(status::ok, i));
    std::filesystem::remove_all(here.path);
    for (std::size_t i = 0; i < 4; ++i) CHECK(monitor.becomes(status::error, i));
    test::unset_variable("GATEWAY_PROC");
    for (std::size_t i = 0; i < 2; ++i) CHECK(monitor.becomes(status::failed, i));
    CHECK(monitor.becomes(status::error, 3));
}
