// SPDX-License-Identifier: BSL-1.0
// Values in files: settings, and secrets that are replaced while a server runs.
#include "client.hpp"
#include "support.hpp"

#include <healthz/hosted/admin_secret.hpp>
#include <healthz/hosted/file.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace {

/// A file of a name that stays.
class value_file {
public:
    value_file() {
        char pattern[] = "/tmp/healthz_file_XXXXXX";
        if (::mkdtemp(pattern) == nullptr) throw std::runtime_error("no folder");
        folder_ = pattern;
        path_ = folder_ + "/value";
    }
    ~value_file() { std::filesystem::remove_all(folder_); }
    value_file(value_file const&) = delete;
    value_file& operator=(value_file const&) = delete;

    void write(std::string_view text) const { std::ofstream(path_, std::ios::binary) << text; }
    void replace(std::string_view text) const {
        std::ofstream(path_ + ".new", std::ios::binary) << text;
        std::filesystem::rename(path_ + ".new", path_);
    }
    void remove() const { std::filesystem::remove_all(path_); }
    char const* path() const { return path_.c_str(); }

private:
    std::string folder_, path_;
};

/// What a setting says: its value, or its problem.
std::string read(healthz::setting const& from) {
    std::string problem;
    auto const value = from.read("url", problem);
    CHECK(value.has_value() == problem.empty());
    return value ? "value " + *value : problem;
}

}  // namespace

TEST_CASE("file: a setting is read afresh, without the line break at its end") {
    value_file const f;
    healthz::setting const from = healthz::file(f.path());
    static_assert(!healthz::setting(healthz::file("/a")).required("it must be given"));
    CHECK(from.given());
    for (auto const& [text, value] :
         {std::pair("one", "one"), {"two\n", "two"}, {"three\r\n", "three"}, {"four\n\n", "four\n"}, {" five ", " five "}}) {
        f.write(text);
        CHECK(read(from) == std::string("value ") + value);
    }
    CHECK(from.name("url") == "file '" + std::string(f.path()) + "'");
    CHECK(from.path() == f.path());
    CHECK(healthz::setting("text").path() == nullptr);

    f.write(std::string(healthz::max_file_size, 'x'));
    CHECK(read(from).size() == 6 + healthz::max_file_size);
    char name[16];
    REQUIRE(::prctl(PR_GET_NAME, name) == 0);
    CHECK(read(healthz::file("/proc/self/comm")) == std::string("value ") + name);  // whose size is said to be 0
}

TEST_CASE("file: what is of no use is named by its path, and not by what is in it") {
    value_file const f;
    auto const path = std::string(f.path());
    healthz::setting const from = healthz::file(f.path()), with_default = healthz::file(f.path(), "default");
    CHECK(read(from) == "file '" + path + "': No such file or directory");
    CHECK(read(with_default) == "value default");
    f.write("");
    CHECK(read(from) == "file '" + path + "' is empty");
    CHECK(read(with_default) == "file '" + path + "' is empty");
    f.write("\n");
    CHECK(read(from) == "file '" + path + "' is empty");
    f.write(std::string("hunter2\0hunter3", 15));
    CHECK(read(from) == "file '" + path + "' holds a zero byte");
    f.write(std::string(healthz::max_file_size + 1, 'x'));
    CHECK(read(from) == "file '" + path + "': File too large");
    f.remove();
    REQUIRE(::mkdir(f.path(), 0700) == 0);
    CHECK(read(from) == "file '" + path + "': Is a directory");
    f.remove();
    REQUIRE(::mkfifo(f.path(), 0600) == 0);
    CHECK(read(from) == "file '" + path + "' is no regular file");
    CHECK(read(with_default) == "file '" + path + "' is no regular file");
    CHECK(read(healthz::file("/proc/self/mem")).starts_with("file '/proc/self/mem': "));  // fails when it is read
    CHECK(read(healthz::file("/proc/self/mem/below")) == "file '/proc/self/mem/below': Not a directory");
}

TEST_CASE("file: secrets are replaced while they are in use") {
    value_file const first, second;
    first.write("one\n");
    second.write("two\n");
    healthz::admin_secret const policy(healthz::file(first.path()), healthz::file(second.path()), "three");
    CHECK(policy.problem().empty());
    auto const copy = policy;  // as a server makes them
    for (auto const* secret : {"one", "two", "three"}) CHECK(copy.accepts(secret));
    CHECK_FALSE(copy.accepts("one\n"));

    first.replace("four");
    CHECK(eventually([&] { return copy.accepts("four"); }));
    CHECK_FALSE(copy.accepts("one"));
    CHECK(policy.accepts("four"));
    CHECK(policy.accepts("two"));

    second.write("five");  // in place
    CHECK(eventually([&] { return policy.accepts("five"); }));
    CHECK_FALSE(policy.accepts("two"));

    // Whatever has no secret in it leaves the last one in force, and is told once.
    notes told;
    policy.on_problem([&](std::string what) { told.add(std::move(what)); });
    first.replace(std::string(healthz::max_secret_size + 1, 'x'));
    second.remove();
    auto const later = std::chrono::steady_clock::now() + 2500ms;
    while (std::chrono::steady_clock::now() < later) {
        CHECK(policy.accepts("four"));
        CHECK(policy.accepts("five"));
        CHECK_FALSE(policy.accepts(""));
        std::this_thread::sleep_for(100ms);
    }
    second.replace("six");
    CHECK(eventually([&] { return policy.accepts("six"); }));
    CHECK_FALSE(policy.accepts("five"));
    CHECK(told.all() == std::vector<std::string>{
                            "file '" + std::string(first.path()) + "' is longer than 1024 bytes; the secret before is still accepted",
                            "file '" + std::string(second.path()) + "': No such file or directory; the secret before is still accepted"});
    policy.on_problem(nullptr);
}

TEST_CASE("file: a secret that could not be read once is read again") {
    value_file const f;
    f.write("old");
    healthz::admin_secret const policy(healthz::file(f.path()));
    CHECK(policy.accepts("old"));
    std::this_thread::sleep_for(3500ms);  // the file is no longer new
    std::filesystem::rename(f.path(), std::string(f.path()) + ".old");
    f.write("new");
    std::filesystem::last_write_time(f.path(), std::filesystem::file_time_type::clock::now() - 1h);
    CHECK(policy.accepts("old") == !policy.accepts("new"));
    struct ::rlimit before = {};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct ::rlimit const none = {0, before.rlim_max};
    std::this_thread::sleep_for(1200ms);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    bool const accepted = policy.accepts("new") || policy.accepts("old");  // whichever it was
    std::this_thread::sleep_for(3500ms);
    bool const still = policy.accepts("new") || policy.accepts("old");
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(accepted);
    CHECK(still);
    CHECK(eventually([&] { return policy.accepts("new"); }));
    CHECK_FALSE(policy.accepts("old"));
}

TEST_CASE("file: without its secret a policy accepts none, and says why") {
    value_file const f;
    auto const path = std::string(f.path());
    CHECK(healthz::admin_secret(healthz::file(f.path())).problem() == "file '" + path + "': No such file or directory");
    f.write(std::string(healthz::max_secret_size + 1, 'x'));
    healthz::admin_secret const policy("known", healthz::file(f.path()));
    CHECK(policy.problem() == "file '" + path + "' is longer than 1024 bytes");
    CHECK_FALSE(policy.accepts("known"));
}

TEST_CASE("file: a secret that no header can carry is none") {
    value_file const f;
    auto const path = std::string(f.path());
    for (auto const* text : {"two\n\n", " blank", "blank ", "tab\tbed", "a\r\nb", "bell\a"}) {
        f.write(text);
        CHECK(healthz::admin_secret(healthz::file(f.path())).problem() ==
              "file '" + path + "' has a blank at an end or a control character, which no header can carry");
    }
    for (auto const* text : {"open sesame", "\xC3\xA9", "x"}) {
        f.write(text);
        CHECK(healthz::admin_secret(healthz::file(f.path())).accepts(text));
    }
}

TEST_CASE("file: where a setting is a path, it is that one") {
    value_file const f;
    f.write("of no matter");
    std::string problem;
    CHECK(healthz::setting(healthz::file(f.path())).read_path("path", problem) == f.path());
    CHECK(healthz::setting("text").read_path("path", problem) == "text");
    CHECK(problem.empty());
    CHECK_FALSE(healthz::setting().read_path("path", problem));
    CHECK(problem == "the setting 'path' is not set");
}

TEST_CASE("file: threads may ask while it is replaced") {
    value_file const f;
    f.write("first secret");
    healthz::admin_secret const policy(healthz::file(f.path()));
    std::atomic<int> accepted = 0, missed = 0;
    std::atomic<bool> done = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            while (!done) {
                bool const either = policy.accepts("first secret") || policy.accepts("second secret") || policy.accepts("first secret");
                ++(either ? accepted : missed);
            }
        });
    CHECK(eventually([&] { return accepted > 10; }));
    f.replace("second secret");
    CHECK(eventually([&] { return policy.accepts("second secret"); }));
    done = true;
    for (auto& each : threads) each.join();
    CHECK(missed == 0);
}
