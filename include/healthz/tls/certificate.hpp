// SPDX-License-Identifier: BSL-1.0
// Reads certificates: the names they are for, until when they are valid, and why one is not accepted.
// Needs OpenSSL.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <string>

namespace healthz::detail {

// By the calendar of <chrono>: time_t and timegm end in 2038 where they have 32 bits.
constexpr std::chrono::sys_seconds to_time(std::tm const& parts) {
    using namespace std::chrono;
    auto const day = year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
    return sys_days(day) + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}
constexpr std::tm to_parts(std::chrono::sys_seconds time) {
    using namespace std::chrono;
    auto const midnight = floor<days>(time);
    year_month_day const day = midnight;
    hh_mm_ss const clock(time - midnight);
    std::tm parts{};
    parts.tm_year = int(day.year()) - 1900;
    parts.tm_mon = static_cast<int>(unsigned(day.month())) - 1;
    parts.tm_mday = static_cast<int>(unsigned(day.day()));
    parts.tm_hour = static_cast<int>(clock.hours().count());
    parts.tm_min = static_cast<int>(clock.minutes().count());
    parts.tm_sec = static_cast<int>(clock.seconds().count());
    return parts;
}

inline std::chrono::sys_seconds to_time(ASN1_TIME const* time) {
    std::tm parts{};
    ASN1_TIME_to_tm(time, &parts);
    return healthz::detail::to_time(parts);
}

/// When the first certificate of the other side's chain ends: of the chain that was verified, or else of its own one.
inline std::chrono::sys_seconds first_expiry(SSL const* ssl) {
    auto first = std::chrono::sys_seconds::max();
    std::unique_ptr<X509, decltype(&X509_free)> const own(SSL_get1_peer_certificate(ssl), &X509_free);
    if (own) first = healthz::detail::to_time(X509_get0_notAfter(own.get()));
    auto const* const chain = SSL_get0_verified_chain(ssl);
    for (int i = 0; SSL_get_verify_result(ssl) == X509_V_OK && i < sk_X509_num(chain); ++i)
        first = std::min(first, healthz::detail::to_time(X509_get0_notAfter(sk_X509_value(chain, i))));
    return first;
}

inline std::string to_text(X509_NAME const* name) {
    std::unique_ptr<BIO, decltype(&BIO_free)> const out(BIO_new(BIO_s_mem()), &BIO_free);
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    char* text = nullptr;
    auto const size = BIO_get_mem_data(out.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

/// The names and addresses that a certificate is for, such as `'a.example', '192.0.2.7'`; of many the first few.
inline std::string names_of(X509 const* certificate) {
    using name_list = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;
    name_list const names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
                          &GENERAL_NAMES_free);
    std::string result;
    int const count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
    for (int i = 0; i < count && result.size() < 200; ++i) {
        auto const* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
        auto const* const value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
        auto const* const bytes = ASN1_STRING_get0_data(value);
        auto const size = ASN1_STRING_length(value);
        std::string text(reinterpret_cast<char const*>(bytes), static_cast<std::size_t>(size));
        if (name->type == GEN_IPADD) {
            char address[INET6_ADDRSTRLEN] = "?";
            if (size == 4 || size == 16) ::inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, address, sizeof address);
            text = address;
        }
        result += (result.empty() ? "'" : ", '") + text + "'";
    }
    return result.empty() ? "'" + healthz::detail::to_text(X509_get_subject_name(certificate)) + "'" : result;
}

inline std::string to_text(std::chrono::sys_seconds time) {
    auto const parts = healthz::detail::to_parts(time);
    char text[40];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts));
}

/// Why the certificate that `context` stands at is not accepted for `host`.
inline std::string describe_objection(X509_STORE_CTX* context, std::string const& host) {
    int const code = X509_STORE_CTX_get_error(context);
    auto const* const certificate = X509_STORE_CTX_get_current_cert(context);
    if (certificate == nullptr) return X509_verify_cert_error_string(code);
    std::string const subject = "the certificate for " + healthz::detail::names_of(certificate);
    auto const when = [](ASN1_TIME const* time) { return healthz::detail::to_text(healthz::detail::to_time(time)); };
    switch (code) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return subject + " is not for '" + host + "'";
        case X509_V_ERR_CERT_HAS_EXPIRED: return subject + " expired on " + when(X509_get0_notAfter(certificate));
        case X509_V_ERR_CERT_NOT_YET_VALID: return subject + " is not valid before " + when(X509_get0_notBefore(certificate));
        default:
            return subject + ", issued by '" + healthz::detail::to_text(X509_get_issuer_name(certificate)) +
                   "': " + X509_verify_cert_error_string(code);
    }
}

}  // namespace healthz::detail
