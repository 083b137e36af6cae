// SPDX-License-Identifier: BSL-1.0
// sqlite against real files.
#include <healthz/probers/sqlite.hpp>
#include "../asio/support.hpp"
#include "../environment.hpp"

#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

namespace fs = std::filesystem;
using namespace test;
using healthz::env;
using healthz::sqlite;
using healthz::status;

namespace {

/// A folder that is gone afterwards. Others may enter it, since a test reads as another user.
struct folder {
    std::string path = "/tmp/healthz-sqlite-XXXXXX";

    folder() {
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        REQUIRE(::chmod(path.c_str(), 0755) == 0);
    }
    ~folder() { fs::remove_all(path); }
    std::string operator/(std::string const& name) const { return path + "/" + name; }
    std::set<std::string> names() const {
        std::set<std::string> all;
        for (auto const& each : fs::directory_iterator(path)) all.insert(each.path().filename());
        return all;
    }
};

/// A connection of the program that the file belongs to.
struct owner {
    sqlite3* database = nullptr;

    explicit owner(std::string const& file) {
        // Not `:memory:` and not a URI, whatever the name.
        auto const name = file.starts_with('/') ? file : "./" + file;
        REQUIRE(sqlite3_open_v2(name.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) == SQLITE_OK);
    }
    ~owner() { sqlite3_close_v2(database); }
    void run(std::string const& sql) {
        INFO(sql);
        REQUIRE(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    }
};

constexpr char const* some_rows =
    "CREATE TABLE item (name TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
    "INSERT INTO item SELECT 'item number ' || i FROM n";
constexpr char const* endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

void create(std::string const& file, bool wal = false) {
    owner database(file);
    if (wal) database.run("PRAGMA journal_mode = WAL");
    database.run(some_rows);
}

void write(std::string const& file, std::string const& bytes, std::streamoff at = -1) {
    std::fstream out(file, std::ios::binary | std::ios::out | (at < 0 ? std::ios::trunc : std::ios::in));
    if (at >= 0) out.seekp(at);
    out << bytes;
    REQUIRE(out.flush());
}

std::string probe(sqlite const& prober, milliseconds timeout = 20s) {
    auto const found = prober.probe(healthz::attempt{timeout});
    return std::string(to_string(found.status())) + " " + std::string(found.json());
}

std::string probe(std::string const& file, char const* test = sqlite{}.test, milliseconds timeout = 20s) {
    return probe(sqlite{.path = file.c_str(), .test = test}, timeout);
}

std::string error(std::string const& message, std::string const& extra) {
    return R"(ERROR {"message":")" + message + R"(","extra":")" + extra + R"("})";
}

/// Probes as somebody who does not own the file: root may read and write anything. Only this thread becomes another.
std::string probe_as_another(std::string const& file) {
    auto const self = ::geteuid();
    ::setfsuid(self == 0 ? 65534 : self);
    auto found = probe(file);
    ::setfsuid(self);
    return found;
}

// The declarations are constants, the path in them is not: it is looked up at each check.
constexpr char const* variable = "CACHE_DB";
void set(std::string const& path) { test::set_variable(variable, path); }

constexpr healthz::health_check calm_check{.interval = 20ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk_check{.interval = 600ms, .timeout = 400ms, .retries = 0};
constexpr sqlite items{.path = env(variable), .test = "SELECT 1 FROM item"};
constexpr auto calm = healthz::sources(healthz::source<"cache">(items, calm_check));
constexpr auto brisk = healthz::sources(healthz::source<"cache">(sqlite{.path = env(variable)}, brisk_check));
constexpr auto slow = healthz::sources(healthz::source<"cache">(sqlite{.path = env(variable), .test = endless}, brisk_check));

}  // namespace

TEST_CASE("sqlite: OK, and each failure says what it is") {
    folder here;
    auto const file = here / "cache.db";
    auto const because = [](std::string const& path, std::string const& what) { return path + ": " + what; };
    auto const malformed = because(here / "other", "database disk image is malformed");

    auto const missing = because(file, "unable to open database file: No such file or directory");
    CHECK(probe(file) == error("database cannot be opened", missing));
    CHECK(here.names().empty());
    create(file);
    CHECK(probe(file) == "OK null");

    CHECK(probe(here.path) == error("disk error", because(here.path, "disk I/O error: Is a directory")));
    auto const below = file + "/cache.db";
    CHECK(probe(below) == error("database cannot be opened", because(below, "unable to open database file: Not a directory")));

    auto const other = here / "other";
    write(other, std::string(5000, 'x'));
    CHECK(probe(other) == error("file is not a database", because(other, "file is not a database")));
    write(other, "xy");
    CHECK(probe(other) == error("file is not a database", because(other, "file is not a database")));

    auto const damaged = [&](std::streamoff from, std::size_t length, char const* test) {
        fs::copy_file(file, other, fs::copy_options::overwrite_existing);
        write(other, std::string(length, '\xFF'), from);
        return probe(other, test) == error("database is corrupt", malformed);
    };
    CHECK(damaged(100, 3996, sqlite{}.test));  // all of the first page but its header
    CHECK(damaged(4096, 4096, "SELECT count(*) FROM item"));
    CHECK_FALSE(damaged(4096, 4096, sqlite{}.test));  // reads no table
    fs::resize_file(other, 4096);
    CHECK(probe(other) == error("database is corrupt", malformed));

    REQUIRE(::chmod(other.c_str(), 0) == 0);
    auto const denied = because(other, "unable to open database file: Permission denied");
    CHECK(probe_as_another(other) == error("database cannot be opened", denied));

    auto const empty = here / "empty";
    write(empty, "");
    CHECK(probe(empty) == "OK null");
    CHECK(probe(empty, "SELECT 1 FROM item") == error("query error", because(empty, "no such table: item")));
    CHECK(fs::file_size(empty) == 0);
    CHECK(here.names() == std::set<std::string>{"cache.db", "other", "empty"});
}

TEST_CASE("sqlite: the test is any SQL that only reads, in any number of statements") {
    folder here;
    auto const file = here / "cache.db";
    create(file);
    auto const failed = [&](std::string const& why) { return error("query error", file + ": " + why); };
    for (auto const* good : {"SELECT * FROM item", "SELECT 1; SELECT 2", " SELECT 1 ; ; -- done\n", "/* nothing */", ";", "BEGIN"})
        CHECK(probe(file, good) == "OK null");
    CHECK(probe(file, "SELECT 1; SELECT x") == failed("no such column: x"));
    CHECK(probe(file, "SELEC 1") == failed(R"(near \"SELEC\": syntax error)"));
    CHECK(probe(file, "SELECT abs(-9223372036854775808)") == failed("integer overflow"));
    for (auto const* writes : {"DELETE FROM item", "CREATE TABLE t (x)", "PRAGMA user_version = 3", "SELECT 1; DROP TABLE item"})
        CHECK(probe(file, writes) == failed("attempt to write a readonly database"));
    CHECK(probe(file, ("ATTACH '" + (here / "new.db") + "' AS n; SELECT * FROM n.sqlite_master").c_str()).starts_with("ERROR "));
    CHECK(here.names() == std::set<std::string>{"cache.db"});

    CHECK(probe(file, "") == R"(FAILED "the setting 'test' is not set")");
    CHECK(probe(file, nullptr) == R"(FAILED "the setting 'test' is not set")");
    CHECK(probe(sqlite{}) == R"(FAILED "the setting 'path' is not set")");
    static_assert(sqlite{}.complaint() != nullptr && sqlite{.path = "x"}.complaint() == nullptr);
    static_assert(sqlite{.path = ""}.complaint() != nullptr && sqlite{.path = nullptr}.complaint() != nullptr);
    CHECK(probe(sqlite{.path = ""}) == R"(FAILED "the setting 'path' is not set")");
}

TEST_CASE("sqlite: a path is a name and nothing else") {
    folder here;
    auto const before = fs::current_path();
    fs::current_path(here.path);
    for (std::string const name : {"it's", "\"quoted\"", "a b", "100%", "%41", "a?mode=memory", "a#b", "a&b=c", ":memory:", ":", "file:",
                                   "file:a", "file:a?mode=memory&cache=shared", "\xE4\xFF.db", "\u00E4\u20AC", "-", "a\nb", "C:\\a", "~"}) {
        INFO(name);
        auto const absolute = here / name;
        CHECK(probe(name).starts_with(R"(ERROR {"message":"database cannot be opened")"));
        CHECK(probe(absolute).starts_with(R"(ERROR {"message":"database cannot be opened")"));
        CHECK(here.names().empty());
        create(name);
        CHECK(here.names() == std::set{name});
        CHECK(probe(name, "SELECT 1 FROM item") == "OK null");
        CHECK(probe(absolute, "SELECT 1 FROM item") == "OK null");
        CHECK(probe("/" + absolute, "SELECT 1 FROM item") == "OK null");
        fs::remove(name);
    }
    create("real");
    fs::create_symlink("real", "link");
    CHECK(probe("link", "SELECT 1 FROM item") == "OK null");
    CHECK(probe("\xE4\"\n") ==
          error("database cannot be opened", "\xEF\xBF\xBD\\\"\\n: unable to open database file: No such file or directory"));
    auto const too_long = probe(std::string(5000, 'a'));
    CHECK(too_long.starts_with(R"(ERROR {"message":"database cannot be opened","extra":"aaa)"));
    CHECK(too_long.size() == 6 + sqlite::outcome_type::capacity);
    fs::current_path(before);
}

TEST_CASE("sqlite: a lock is waited for, half of the timeout") {
    folder here;
    auto const file = here / "cache.db";
    create(file);
    owner writer(file);
    writer.run("BEGIN EXCLUSIVE");
    auto const locked = error("database is locked", file + ": database is locked");
    auto const begin = clock::now();
    CHECK(probe(file, sqlite{}.test, 1000ms) == locked);
    auto const took = std::chrono::duration_cast<milliseconds>(clock::now() - begin);
    CHECK(took.count() >= 450);
    CHECK(took.count() <= 500 + 4 * prompt().count());
    CHECK(probe(file, sqlite{}.test, 1ms) == locked);
    CHECK(probe(file, sqlite{}.test, milliseconds::min()) == locked);

    set(file);
    {
        live<brisk> monitor;
        for (auto const& each : monitor.wait_for(3)) CHECK("ERROR " + each.error == locked);
        writer.run("COMMIT");
        CHECK(monitor.becomes(status::ok));
    }
    // Of the longest timeout there is, too.
    for (auto const timeout : {milliseconds(20s), milliseconds(std::int64_t{1} << 32), milliseconds::max()}) {
        writer.run("BEGIN EXCLUSIVE");
        std::thread later([&] {
            std::this_thread::sleep_for(150ms);
            sqlite3_exec(writer.database, "COMMIT", nullptr, nullptr, nullptr);
        });
        auto const found = probe(file, sqlite{}.test, timeout);
        later.join();
        CHECK(found == "OK null");
    }
    writer.run("BEGIN IMMEDIATE; INSERT INTO item VALUES ('unseen')");  // does not keep readers out
    CHECK(probe(file) == "OK null");
}

TEST_CASE("sqlite: a slow query is a TIMEOUT on time") {
    folder here;
    for (bool const wal : {false, true}) {
        auto const file = here / (wal ? "wal.db" : "cache.db");
        create(file, wal);
        auto const begin = clock::now();
        CHECK(probe(file, endless, 200ms) == "TIMEOUT null");
        auto const took = std::chrono::duration_cast<milliseconds>(clock::now() - begin);
        CHECK(took.count() >= 200);
        CHECK(took.count() <= 200 + prompt().count());
        CHECK(probe(file, (std::string("SELECT 1; ") + endless).c_str(), 50ms) == "TIMEOUT null");

        set(file);
        live<slow> monitor;
        auto const found = monitor.wait_for(3);
        for (auto const& each : found) {
            CHECK(each.status == status::timeout);
            CHECK(each.error == "null");
        }
        auto const late = std::chrono::duration_cast<milliseconds>(found[0].time - monitor.started() - brisk_check.timeout);
        CHECK(late.count() >= -2);
        CHECK(late.count() <= prompt().count());
        CHECK(monitor.stop().count() < 1000);
    }
}

TEST_CASE("sqlite: WAL mode, in use, at rest and crashed; no file is left by a probe") {
    folder here;
    auto const file = here / "cache.db";
    std::set<std::string> const at_rest = {"cache.db"}, in_use = {"cache.db", "cache.db-shm", "cache.db-wal"};
    create(file, true);
    REQUIRE(here.names() == at_rest);
    CHECK(probe(file, "SELECT 1 FROM item") == "OK null");
    CHECK(probe(file, "SELECT x FROM item") == error("query error", file + ": no such column: x"));
    CHECK(here.names() == at_rest);
    {
        owner writer(file);
        writer.run("BEGIN EXCLUSIVE; INSERT INTO item VALUES ('unseen')");
        CHECK(probe(file) == "OK null");
        writer.run("COMMIT; CREATE TABLE latest (n)");
        CHECK(probe(file, "SELECT n FROM latest") == "OK null");  // read from the log
        for (auto const* end : {"", "-wal", "-shm"}) fs::copy_file(file + end, (here / "crashed") + end);
        CHECK(here.names().size() == 6);
    }
    CHECK(probe(here / "crashed", "SELECT n FROM latest") == "OK null");
    for (auto const* end : {"", "-wal", "-shm"}) CHECK(fs::remove((here / "crashed") + end));
    CHECK(here.names() == at_rest);

    {
        owner keeper(file);
        keeper.run("PRAGMA locking_mode = EXCLUSIVE; INSERT INTO item VALUES ('mine')");
        CHECK(probe(file, sqlite{}.test, 50ms) == error("database is locked", file + ": database is locked"));
    }
    // Where only its owner may write, as is usual.
    REQUIRE(::chmod(file.c_str(), 0644) == 0);
    CHECK(probe_as_another(file) == "OK null");
    {
        owner writer(file);
        writer.run("INSERT INTO item VALUES ('still mine')");
        CHECK(here.names() == in_use);
    }
    CHECK(here.names() == at_rest);
    write(file, std::string(3996, '\xFF'), 100);
    CHECK(probe(file) == error("database is corrupt", file + ": database disk image is malformed"));
}

TEST_CASE("sqlite: a transaction that a crash interrupted is not rolled back by a probe") {
    folder here;
    auto const file = here / "cache.db", crashed = here / "crashed.db";
    create(file);
    owner writer(file);
    writer.run("PRAGMA cache_size = 1; BEGIN; UPDATE item SET name = name || ' of many'");
    fs::copy_file(file, crashed);
    fs::copy_file(file + "-journal", crashed + "-journal");
    auto const size = fs::file_size(crashed + "-journal");
    CHECK(probe(crashed) == error("database needs recovery", crashed + ": a transaction was interrupted"));
    CHECK(fs::file_size(crashed + "-journal") == size);
    owner(crashed).run("SELECT count(*) FROM item");
    CHECK(probe(crashed) == "OK null");
}

TEST_CASE("sqlite: what happens to the setting and to the file is noticed") {
    folder here;
    auto const file = here / "cache.db", next = here / "next.db";
    test::unset_variable(variable);
    CHECK(probe(items) == R"(FAILED "environment variable 'CACHE_DB' not set")");
    set("");
    CHECK(probe(items) == R"(FAILED "environment variable 'CACHE_DB' is empty")");
    set(file);
    CHECK(probe(items).starts_with(R"(ERROR {"message":"database cannot be opened")"));
    create(file);
    CHECK(probe(items) == "OK null");

    // Even where the program shares the caches of its connections, of which this one keeps the first file.
    for (int const shared : {0, 1}) {
        sqlite3_enable_shared_cache(shared);
        owner holder(file);
        holder.run("SELECT 1 FROM item");
        create(next);
        live<calm> monitor;
        CHECK(monitor.becomes(status::ok));
        fs::remove(file);
        CHECK(monitor.becomes(status::error));
        CHECK(here.names() == std::set<std::string>{"next.db"});
        fs::rename(next, file);
        CHECK(monitor.becomes(status::ok));
        write(file, "");
        CHECK(monitor.becomes(status::error));
        create(next);
        fs::rename(next, file);
        CHECK(monitor.becomes(status::ok));
    }
    sqlite3_enable_shared_cache(0);
}

TEST_CASE("sqlite: a thousand checks leave nothing behind") {
    folder here;
    auto const file = here / "cache.db", wal = here / "wal.db", other = here / "other";
    create(file);
    create(wal, true);
    write(other, std::string(5000, 'x'));
    auto const round = [&] {
        bool const good = probe(file) == "OK null" && probe(wal) == "OK null" && probe(other).starts_with("ERROR ") &&
                          probe(here / "none").starts_with("ERROR ") && probe(file, "SELECT x").starts_with("ERROR ") &&
                          probe(file, endless, 0ms) == "TIMEOUT null";
        if (!good) FAIL_CHECK("a check went wrong");
    };
    for (int i = 0; i < 50; ++i) round();
    auto const descriptors = open_descriptors();
    auto const memory = process_status("VmRSS"), threads = process_status("Threads");
    auto const in_sqlite = sqlite3_memory_used();
    for (int i = 0; i < 1000; ++i) round();
    // Fewer where an earlier test's probe, which nobody waits for, has ended meanwhile.
    CHECK(open_descriptors() <= descriptors);
    CHECK(sqlite3_memory_used() <= in_sqlite);
    CHECK(eventually([&] { return process_status("Threads") <= threads; }));  // an idle worker ends after ten seconds
    if (!sanitized) CHECK(process_status("VmRSS") - memory < 2000);
    CHECK(here.names() == std::set<std::string>{"cache.db", "wal.db", "other"});

    set(file);
    {
        live<calm> monitor;
        for (auto const& each : monitor.wait_for(30)) CHECK(each.status == status::ok);
        CHECK(eventually([&] { return process_status("Threads") <= threads + 2; }));  // the loop's and one worker's
    }
    CHECK(eventually([&] { return process_status("Threads") <= threads + 1; }));
    CHECK(eventually([&] { return open_descriptors() <= descriptors; }));
}
