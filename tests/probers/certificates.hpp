// SPDX-License-Identifier: BSL-1.0
// An authority for the tests, and certificates that it issues: good ones, expired ones, for whatever name.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace test {

/// PEM texts.
struct certificate {
    std::string text;
    std::string key;
};

class authority {
public:
    explicit authority(char const* name = "healthz test authority") : key_(make_key()), certificate_(X509_new(), &X509_free) {
        fill(certificate_.get(), key_.get(), name, 365);
        extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
        X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
        sign(certificate_.get());
    }

    std::string text() const { return to_text(certificate_.get()); }

    /// For `names` in OpenSSL's notation; valid until a minute before `days` from now, which may be in the past, from `first_day`.
    certificate issue(std::string const& names = "DNS:localhost,IP:127.0.0.1,IP:::1", long days = 30, long first_day = -90) const {
        auto const key = make_key();
        std::unique_ptr<X509, decltype(&X509_free)> const made(X509_new(), &X509_free);
        fill(made.get(), key.get(), "healthz test", days, first_day);
        extend(made.get(), NID_subject_alt_name, names.c_str());
        X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
        sign(made.get());
        certificate result;
        result.text = to_text(made.get());
        auto const to = memory();
        PEM_write_bio_PrivateKey(to.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        result.key = contents(to.get());
        return result;
    }

private:
    using key_pointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using memory_pointer = std::unique_ptr<BIO, decltype(&BIO_free)>;

    static key_pointer make_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }
    static memory_pointer memory() { return {BIO_new(BIO_s_mem()), &BIO_free}; }
    static std::string contents(BIO* from) {
        char* data = nullptr;
        auto const size = BIO_get_mem_data(from, &data);
        return {data, static_cast<std::size_t>(size)};
    }
    static std::string to_text(X509* made) {
        auto const to = memory();
        PEM_write_bio_X509(to.get(), made);
        return contents(to.get());
    }

    static void fill(X509* made, EVP_PKEY* key, char const* name, long days, long first_day = -90) {
        static long serial = 1;
        X509_set_version(made, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
        X509_gmtime_adj(X509_getm_notBefore(made), first_day * 86400);
        X509_gmtime_adj(X509_getm_notAfter(made), days * 86400 - 60);  // never whole days, whenever somebody counts
        X509_set_pubkey(made, key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>(name), -1, -1,
                                   0);
    }
    static void extend(X509* made, int kind, char const* value) {
        std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> const extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value),
                                                                                        &X509_EXTENSION_free);
        if (!extension || X509_add_ext(made, extension.get(), -1) != 1) throw std::runtime_error("no certificate");
    }
    void sign(X509* made) const {
        if (X509_sign(made, key_.get(), EVP_sha256()) == 0) throw std::runtime_error("no certificate");
    }

    key_pointer key_;
    std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

}  // namespace test
