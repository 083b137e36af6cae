// SPDX-License-Identifier: BSL-1.0
// The packets and tokens of TDS 7.2 to 7.4 that a server needs for a login and a query without parameters.
// Links with nothing.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace test::tds {

enum packet : std::uint8_t { sql_batch = 0x01, rpc = 0x03, reply = 0x04, attention = 0x06, login7 = 0x10, prelogin = 0x12 };

inline constexpr std::size_t packet_size = 4096;

/// The peer has gone, or should be left.
struct closed {};

// ---- numbers and texts

inline std::string little(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
}
inline std::string big(std::uint64_t value, int bytes) {
    auto const out = little(value, bytes);
    return {out.rbegin(), out.rend()};
}
inline std::size_t number(std::string_view in, std::size_t at, std::size_t bytes) {
    if (at + bytes > in.size()) throw closed();
    std::size_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(in[at + i]);
    return value;
}
inline std::u16string text(std::string_view in, std::size_t at, std::size_t characters) {
    std::u16string out;
    for (std::size_t i = 0; i < characters; ++i) out += static_cast<char16_t>(number(in, at + 2 * i, 2));
    return out;
}
inline std::string units(std::u16string_view in) {
    std::string out;
    for (char16_t each : in) out += little(each, 2);
    return out;
}
inline std::u16string wide(std::string_view ascii) { return {ascii.begin(), ascii.end()}; }
inline std::string narrow(std::u16string_view in) {
    std::string out;
    for (char16_t each : in) out += each < 0x80 ? static_cast<char>(each) : '?';
    return out;
}
inline std::string short_text(std::u16string_view in) { return little(in.size(), 1) + units(in); }
inline std::string long_text(std::u16string_view in) { return little(in.size(), 2) + units(in); }

/// A token with its length in front of its content.
inline std::string token(unsigned char type, std::string const& content) {
    return static_cast<char>(type) + little(content.size(), 2) + content;
}

// ---- what the server says

inline std::string prelogin_reply() {
    struct option {
        std::uint8_t type;
        std::string content;
    };
    // Version, no encryption, instance, thread, no multiple active results.
    option const options[] = {
        {0, std::string("\x10\0\x0F\xA1\0\0", 6)}, {1, "\x02"}, {2, std::string(1, '\0')}, {3, ""}, {4, std::string(1, '\0')}};
    std::string head, body;
    std::size_t const offset = 5 * std::size(options) + 1;
    for (auto const& each : options) {
        head += static_cast<char>(each.type) + big(offset + body.size(), 2) + big(each.content.size(), 2);
        body += each.content;
    }
    return head + '\xFF' + body;
}

/// The end of a result: DONE (FD), DONEPROC (FE) or DONEINPROC (FF).
inline std::string done(unsigned char type, std::uint16_t status, std::uint64_t rows) {
    return static_cast<char>(type) + little(status, 2) + little(0xC1, 2) + little(rows, 8);
}

inline std::string message(unsigned char type, std::uint32_t code, std::uint8_t severity, std::u16string const& words) {
    return token(type, little(code, 4) + little(1, 1) + little(severity, 1) + long_text(words) + short_text(u"responder") +
                           short_text(u"") + little(1, 4));
}
inline std::string error(std::uint32_t code, std::uint8_t severity, std::u16string const& words) {
    return message(0xAA, code, severity, words);
}

inline std::string login_accepted(std::u16string const& database) {
    return token(0xE3, little(1, 1) + short_text(database) + short_text(u"master")) +
           message(0xAB, 5701, 10, u"Changed database context to '" + database + u"'.") +
           token(0xE3, little(4, 1) + short_text(u"4096") + short_text(u"4096")) +
           token(0xAD, little(1, 1) + big(0x74000004, 4) + short_text(u"Microsoft SQL Server") + std::string("\x10\0\x0F\xA1", 4)) +
           done(0xFD, 0, 0);
}

/// One column without a name, of type INT, and a row of it.
inline std::string integer_column() { return '\x81' + little(1, 2) + little(0, 4) + little(0, 2) + '\x38' + short_text(u""); }
inline std::string integer_row(std::uint32_t value) { return '\xD1' + little(value, 4); }

/// What follows the results of a procedure: its status, and the handle of a prepared query.
inline std::string return_status() { return '\x79' + little(0, 4); }
inline std::string return_handle() {
    return '\xAC' + little(0, 2) + short_text(u"") + little(1, 1) + little(0, 4) + little(0, 2) + "\x26\x04\x04" + little(1, 4);
}

// ---- what the client says

struct login {
    std::u16string user, password, database;
};
inline login parse_login(std::string const& body) {
    auto const field = [&body](std::size_t at) { return text(body, number(body, at, 2), number(body, at + 2, 2)); };
    login asked{field(40), {}, field(68)};
    // Each byte of a password has its halves swapped, then 0xA5 laid over it.
    auto const at = number(body, 44, 2), size = number(body, 46, 2);
    std::string plain;
    for (std::size_t i = 0; i < 2 * size; ++i) {
        auto const byte = number(body, at + i, 1) ^ 0xA5;
        plain += static_cast<char>((byte << 4 | byte >> 4) & 0xFF);
    }
    asked.password = text(plain, 0, size);
    return asked;
}

/// The text of a batch, which stands after the headers.
inline std::u16string batch_text(std::string const& body) {
    auto const at = number(body, 0, 4);
    return at > body.size() ? throw closed() : text(body, at, (body.size() - at) / 2);
}

/// A call of a stored procedure that runs a query: sp_executesql, sp_prepare or sp_prepexec.
struct procedure_call {
    std::u16string text;  ///< empty if it is another procedure
    bool wants_handle = false;
};
inline procedure_call parse_rpc(std::string const& body) {
    constexpr std::size_t executesql = 10, prepare = 11, prepexec = 13;
    procedure_call call;
    std::size_t at = number(body, 0, 4);
    if (number(body, at, 2) != 0xFFFF) return call;  // called by its name
    auto const procedure = number(body, at + 2, 2);
    if (procedure != executesql && procedure != prepare && procedure != prepexec) return call;
    call.wants_handle = procedure != executesql;
    at += 6;
    // The query is the first parameter of sp_executesql, else the third: after the handle and the parameters' types.
    for (int left = call.wants_handle ? 3 : 1; left > 0 && at < body.size(); --left) {
        at += 1 + 2 * number(body, at, 1) + 1;  // name, status
        auto const type = number(body, at, 1);
        std::size_t size = 0;
        if (type == 0x26) {  // INTN
            size = number(body, at + 2, 1);
            at += 3;
        } else if (type == 0xE7) {  // NVARCHAR, perhaps one of unlimited size, which comes in pieces
            bool const pieces = number(body, at + 1, 2) == 0xFFFF;
            at += 8;
            size = pieces ? number(body, at + 8, 4) : number(body, at, 2);
            at += pieces ? 12 : 2;
            if (!pieces && size == 0xFFFF) size = 0;
            if (left == 1) call.text = text(body, at, size / 2);
            if (pieces && size != 0) size += 4;
        } else if (type == 0x63) {  // NTEXT
            size = number(body, at + 10, 4);
            at += 14;
            if (size == 0xFFFFFFFF) size = 0;
            if (left == 1) call.text = text(body, at, size / 2);
        } else {
            throw closed();
        }
        at += size;
    }
    return call;
}

// ---- packets

/// Messages over a socket, which it does not own. Each throws `closed` when the peer has gone.
class channel {
public:
    struct incoming {
        std::uint8_t type;
        std::string body;
    };

    explicit channel(int socket) : socket_(socket) {}

    incoming read() {
        incoming in{};
        for (bool last = false; !last;) {
            auto const head = read_bytes(8);
            in.type = static_cast<std::uint8_t>(head[0]);
            last = (head[1] & 1) != 0;
            auto const size = static_cast<std::size_t>(static_cast<unsigned char>(head[2])) << 8 | static_cast<unsigned char>(head[3]);
            if (size < 8) throw closed();
            in.body += read_bytes(size - 8);
        }
        return in;
    }

    /// Whether there is something to read within so many milliseconds.
    bool read_within(int milliseconds) const {
        pollfd wanted{socket_, POLLIN, 0};
        return ::poll(&wanted, 1, milliseconds) > 0;
    }

    void write(std::string const& body) { write_packets(body, true); }
    /// A message that is not over.
    void write_part(std::string const& body) { write_packets(body, false); }
    void write_raw(std::string_view bytes) {
        while (!bytes.empty()) {
            auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) throw closed();
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    [[noreturn]] void wait_until_closed() {
        while (true) read_bytes(1);
    }

private:
    void write_packets(std::string_view body, bool end) {
        std::string out;
        do {
            auto const part = body.substr(0, packet_size - 8);
            body.remove_prefix(part.size());
            out += static_cast<char>(reply);
            out += body.empty() && end ? '\1' : '\0';
            out += big(part.size() + 8, 2) + big(0, 2) + little(++sent_, 1) + '\0';
            out += part;
        } while (!body.empty());
        write_raw(out);
    }

    std::string read_bytes(std::size_t count) {
        std::string in(count, '\0');
        for (std::size_t have = 0; have < count;) {
            auto const got = ::recv(socket_, in.data() + have, count - have, 0);
            if (got <= 0) throw closed();
            have += static_cast<std::size_t>(got);
        }
        return in;
    }

    int socket_;
    std::uint8_t sent_ = 0;
};

}  // namespace test::tds
