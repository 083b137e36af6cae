// SPDX-License-Identifier: BSL-1.0
// odbc_string: what is read out of a connection string, and what must not be shown of it.
#include "../catch.hpp"

#include <healthz/probers/odbc/connection_string.hpp>

using healthz::detail::odbc_string;

TEST_CASE("odbc_string: values, in braces and without") {
    auto const given =
        odbc_string::parse("Driver={ODBC Driver 18 for SQL Server};Server=db,1433; UID = monitor ;pwd={a;b}}=c} ; x=;Uid=other;");
    REQUIRE(given);
    CHECK((*given)["driver"] == "ODBC Driver 18 for SQL Server");
    CHECK((*given)["server"] == "db,1433");
    CHECK((*given)["uid"] == "monitor");
    CHECK((*given)["pwd"] == "a;b}=c");
    CHECK((*given)["x"].empty());
    CHECK((*given)["database"].empty());
    CHECK(given->secrets() == std::vector<std::string>{"a;b}}=c", "a;b}=c"});

    REQUIRE(odbc_string::parse(";;DSN=orders;;"));
    CHECK((*odbc_string::parse(";;DSN=orders;;"))["dsn"] == "orders");
    CHECK((*odbc_string::parse("PWD=a=b{c}"))["pwd"] == "a=b{c}");
}

TEST_CASE("odbc_string: what is none") {
    for (auto const* text : {"", ";", "orders", "DSN=orders;monitor", "=orders", "Pwd={abc", "Pwd={abc}}", "Pwd={abc}def", "Pwd={abc}def;",
                             "Server=db;;=x", "Pwd=ab;cd;Server=db"}) {
        INFO(text);
        CHECK(!odbc_string::parse(text));
    }
}

TEST_CASE("odbc_string: whatever may be a secret is one") {
    auto const secrets = [](char const* text) { return odbc_string::parse(text)->secrets(); };
    CHECK(secrets("Server=db;Uid=monitor;Database=orders").empty());
    CHECK(secrets("PASSWORD=ab").size() == 2);
    CHECK(secrets("KeyStoreSecret=ab").size() == 2);
    CHECK(secrets("AccessToken=ab").size() == 2);
    CHECK(secrets("sslpassphrase=ab").size() == 2);
    // A forgotten ';'.
    CHECK(secrets("Server=db Pwd=Vq8z").back() == "Vq8z");
    CHECK(secrets("Server={db Pwd=Vq8z}").front() == "db Pwd=Vq8z");
}
