// SPDX-License-Identifier: BSL-1.0
// sqlite: a SQLite database file can be read.
// Needs libsqlite3.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"

#include <sqlite3.h>

#include <cstring>
#include <memory>

namespace healthz {

/// OK when `test` runs to its end on the database file `path`, opened anew and read-only at each check, so that a file that
/// was deleted, replaced or damaged is noticed and none is ever created. An immediate prober that blocks: for a while where
/// the file is locked (half of the timeout), as long as the disk does where that hangs.
/// ERROR: the file is missing, locked, corrupt or no database, or `test` fails. FAILED: `path` or `test` is not set.
struct sqlite {
    setting path;
    /// The default reads the file; `SELECT 1` would not.
    char const* test = "SELECT count(*) FROM sqlite_master";

    using outcome_type = basic_outcome<512>;

    outcome_type probe(attempt a) const {
        std::string problem;
        auto const file = path.read("path", problem);
        if (!file) return outcome_type::failed(problem);
        if (test == nullptr || *test == '\0') return outcome_type::failed("the setting 'test' is not set");

        sqlite3* opened = nullptr;
        int code = sqlite3_open_v2(file->c_str(), &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
        std::unique_ptr<sqlite3, closer> const database(opened);
        if (code != SQLITE_OK) return describe(opened, code, *file);

        sqlite3_busy_timeout(opened, static_cast<int>(a.timeout.count() / 2));
        deadline late{std::chrono::steady_clock::now() + a.timeout};
        sqlite3_progress_handler(opened, 1000, &deadline::passed, &late);

        for (char const* rest = test; *rest != '\0';) {
            sqlite3_stmt* prepared = nullptr;
            code = sqlite3_prepare_v2(opened, rest, -1, &prepared, &rest);
            std::unique_ptr<sqlite3_stmt, finalizer> const statement(prepared);
            if (code != SQLITE_OK) return describe(opened, code, *file);
            if (prepared == nullptr) continue;  // white space or a comment
            do code = sqlite3_step(prepared);
            while (code == SQLITE_ROW);
            if (code != SQLITE_DONE) return describe(opened, code, *file);
        }
        return outcome_type::ok();
    }

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

    /// A few words by SQLite's result code; the details in SQLite's text, the file's name and the system's reason.
    static outcome_type describe(sqlite3* database, int code, std::string const& file) {
        int const primary = code & 0xFF;
        if (primary == SQLITE_INTERRUPT) return outcome_type::timeout();
        std::string extra = file + ": " + (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
        int const system = database != nullptr ? sqlite3_system_errno(database) : 0;
        if (primary == SQLITE_CANTOPEN && system != 0) extra += std::string(": ") + std::strerror(system);
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
