// SPDX-License-Identifier: BSL-1.0
// mssql: a SQL Server answers an authenticated query.
// Needs unixODBC, and at run time a driver: Microsoft's or FreeTDS.
#pragma once

#include "../hosted/setting.hpp"
#include "odbc.hpp"
#include "odbc/connection_string.hpp"

#include <string>
#include <string_view>

namespace healthz {

/// OK when the SQL Server at `connection_string` runs `test` without an error. All that is said of `odbc` holds. The string
/// is the one that applications use: `Driver={ODBC Driver 18 for SQL Server};Server=db,1433;Database=orders;Uid=...;Pwd=...`.
/// If that driver is FreeTDS, the prober adds what FreeTDS does not take from such a string: encryption if the string says
/// `Encrypt=yes`, and a protocol version, without which it does not keep the login timeout.
struct mssql {
    static constexpr char const* kind = "mssql";  ///< as a label of metrics
    setting connection_string;
    /// Instead of those in `connection_string`.
    setting user = setting();
    setting password = setting();
    char const* test = "SELECT 1";
    /// Opens a connection for each check and closes it after.
    bool fresh = false;

    static constexpr bool remote = true;  // a blocking driver, but of a server elsewhere
    constexpr char const* complaint() const {
        return connection_string.required(
            "healthz: mssql needs a connection string: write .connection_string = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = odbc::outcome_type;
    class session;
};

/// The connection of one source.
class mssql::session : public odbc::session {
public:
    explicit session(mssql const& s) : odbc::session({s.connection_string, s.user, s.password, s.test, s.fresh}, &for_freetds) {}

private:
    // Microsoft's driver ignores keywords that it does not know.
    static std::string for_freetds(detail::odbc_string const& given) {
        std::string more;
        if (given["tds_version"].empty()) more += "TDS_Version=7.4;";
        auto const encrypt = detail::odbc_string::lower(given["encrypt"]);
        for (std::string_view wanted : {"yes", "true", "1", "mandatory", "strict"})
            if (encrypt == wanted && given["encryption"].empty()) more += "Encryption=require;";
        return more;
    }
};

}  // namespace healthz
