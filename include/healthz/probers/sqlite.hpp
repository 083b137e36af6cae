// SPDX-License-Identifier: BSL-1.0
// sqlite: a SQLite database file can be read.
// Needs libsqlite3, 3.31 or later, and a POSIX system.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <system_error>

namespace healthz {

/// OK when `test` runs to its end on the database file `path`, opened anew and read-only at each check, so that a file that
/// was deleted, replaced or damaged is noticed and none is created. An immediate prober that blocks: half of the timeout if the
/// file is locked, as long as the disk does if that hangs.
/// ERROR: the file is missing, locked, corrupt or no database, or `test` fails. FAILED: `path` or `test` is not set.
struct sqlite {
    static constexpr char const* kind = "sqlite";  ///< as a label of metrics
    /// The name of a file and nothing else: `file:cache.db?mode=ro` and `:memory:` have no special meaning.
    setting path;
    /// The default reads the file; `SELECT 1` would not. To SQLite an empty file is an empty database, and OK: use a query that
    /// names a table to notice that. Rows are not examined, so `PRAGMA integrity_check` is no test.
    char const* test = "SELECT count(*) FROM sqlite_master";

    constexpr char const* complaint() const {
        return path.required("healthz: sqlite needs a file: write .path = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe(attempt a) const {
        std::string problem;
        auto const file = path.read_path("path", problem);
        if (!file) return outcome_type::failed(problem);
        if (test == nullptr || *test == '\0') return outcome_type::failed("the setting 'test' is not set");

        using std::chrono::milliseconds;
        // Up to 24 days, since SQLite counts milliseconds in an int.
        auto const timeout = std::clamp(a.timeout, milliseconds(0), milliseconds(std::numeric_limits<int>::max()));
        return run(*file, false, timeout, deadline{std::chrono::steady_clock::now() + timeout});
    }

private:
    struct closer {
        void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
    };
    struct finalizer {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    struct deadline {
        std::chrono::steady_clock::time_point moment;
        static int passed(void* self) { return std::chrono::steady_clock::now() >= static_cast<deadline*>(self)->moment; }
    };

    outcome_type run(std::string const& file, bool at_rest, std::chrono::milliseconds timeout, deadline late) const {
        sqlite3* opened = nullptr;
        auto const uri = to_uri(file) + (at_rest ? "?immutable=1" : "");
        // A cache shared with the program's own connections would hide what happens to the file.
        constexpr int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
        int code = sqlite3_open_v2(uri.c_str(), &opened, flags, nullptr);
        std::unique_ptr<sqlite3, closer> const database(opened);
        if (code != SQLITE_OK) return describe(opened, code, file);

        if (!at_rest && is_wal_at_rest(opened)) {
            auto const found = run(file, true, timeout, late);
            if (found.status() == status::ok || is_wal_at_rest(opened)) return found;  // else another program has just opened it
        }

        sqlite3_busy_timeout(opened, static_cast<int>(timeout.count() / 2));
        sqlite3_progress_handler(opened, 1000, &deadline::passed, &late);
        for (char const* rest = test; *rest != '\0';) {
            sqlite3_stmt* prepared = nullptr;
            code = sqlite3_prepare_v2(opened, rest, -1, &prepared, &rest);
            std::unique_ptr<sqlite3_stmt, finalizer> const statement(prepared);
            if (code != SQLITE_OK) return describe(opened, code, file);
            if (prepared == nullptr) continue;  // white space or a comment
            do code = sqlite3_step(prepared);
            while (code == SQLITE_ROW);
            if (code != SQLITE_DONE) return describe(opened, code, file);
        }
        return outcome_type::ok();
    }

    /// The file's name as SQLite cannot misread it: some builds take any name for a URI, and all of them know `:memory:`.
    static std::string to_uri(std::string const& file) {
        constexpr char hex[] = "0123456789ABCDEF";
        std::string uri = file.starts_with('/') ? "file:" : "file:./";
        for (char const c : file) {
            auto const byte = static_cast<unsigned char>(c);
            uri += {'%', hex[byte >> 4], hex[byte & 15]};
        }
        return uri;
    }

    /// Whether the file is in WAL mode and not open anywhere. An ordinary reader would then create `-wal` and `-shm` and leave
    /// them there as its own, so that the program that owns the file could not use them; and fail if it may not create them.
    /// Uses SQLite: opening and closing the file by other means would drop the locks that this process has on it.
    static bool is_wal_at_rest(sqlite3* database) {
        sqlite3_file* file = nullptr;
        unsigned char read_version = 0;
        sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
        if (file == nullptr || file->pMethods == nullptr) return false;
        if (file->pMethods->xRead(file, &read_version, 1, 19) != SQLITE_OK || read_version != 2) return false;
        return ::access(sqlite3_filename_wal(sqlite3_db_filename(database, "main")), F_OK) != 0;
    }

    /// A few words by SQLite's result code; the details in SQLite's text, the file's name and the system's reason.
    static outcome_type describe(sqlite3* database, int code, std::string const& file) {
        int const primary = code & 0xFF;
        if (primary == SQLITE_INTERRUPT) return outcome_type::timeout();
        bool const interrupted = database != nullptr && sqlite3_extended_errcode(database) == SQLITE_READONLY_ROLLBACK;
        if (interrupted) return outcome_type::error("database needs recovery", file + ": a transaction was interrupted");
        std::string extra = file + ": " + (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
        bool const is_system = primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR;
        int const system = is_system && database != nullptr ? sqlite3_system_errno(database) : 0;
        if (system != 0) extra += ": " + std::generic_category().message(system);
        switch (primary) {
            case SQLITE_CANTOPEN: return outcome_type::error("database cannot be opened", extra);
            case SQLITE_BUSY:
            case SQLITE_LOCKED: return outcome_type::error("database is locked", extra);
            case SQLITE_CORRUPT: return outcome_type::error("database is corrupt", extra);
            case SQLITE_NOTADB: return outcome_type::error("file is not a database", extra);
            case SQLITE_IOERR: return outcome_type::error("disk error", extra);
            default: return outcome_type::error("query error", extra);
        }
    }
};

}  // namespace healthz
