// SPDX-License-Identifier: BSL-1.0
// interface: a network interface is up, has carrier and, if wanted, an address.
// Needs Linux.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../text.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

namespace healthz {

/// OK when the network interface `name` of this network namespace is switched on, has carrier (a cable, a radio link, a peer), is
/// operational and has an address of the wanted kind. An immediate prober, which does not block.
/// ERROR: it is not there, or lacks one of these, or the system does not list its interfaces. FAILED: no name.
struct interface {
    static constexpr char const* kind = "interface";  ///< as a label of metrics
    static constexpr bool blocking = false;
    setting name;  ///< such as "eth0"
    /// Which address it must have. Those that an interface gives to itself, 169.254.0.0/16 and fe80::/10, do not count.
    enum : std::uint8_t {
        no_address,  ///< none is needed
        any,         ///< of IPv4 or IPv6
        ipv4,
        ipv6,
    } address = no_address;

    constexpr char const* complaint() const {
        return name.required("healthz: interface needs a name: write .name = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<256>;

    outcome_type probe() const {
        std::string problem;
        auto const wanted = name.read("name", problem);
        if (!wanted) return outcome_type::failed(problem);

        ::ifaddrs* first = nullptr;
        if (::getifaddrs(&first) != 0) return outcome_type::error("interfaces cannot be listed", std::generic_category().message(errno));
        std::unique_ptr<::ifaddrs, void (*)(::ifaddrs*)> const list(first, &::freeifaddrs);
        bool is_there = false, has_address = address == no_address;
        unsigned flags = 0;
        for (auto const* each = first; each != nullptr; each = each->ifa_next) {         // one for the interface, one for each address
            if (healthz::detail::text_before(each->ifa_name, ':') != *wanted) continue;  // "eth0:1" is the label of an address
            is_there = true;
            flags = each->ifa_flags;
            has_address = has_address || (each->ifa_addr != nullptr && is_wanted(*each->ifa_addr));
        }
        constexpr unsigned has_carrier = 1U << 16;  // IFF_LOWER_UP of <linux/if.h>, which does not get along with <net/if.h>
        if (!is_there) return outcome_type::error("no such interface", *wanted);
        if ((flags & IFF_UP) == 0) return outcome_type::error("interface is down", *wanted);
        if ((flags & has_carrier) == 0) return outcome_type::error("interface has no carrier", *wanted);
        if ((flags & IFF_RUNNING) == 0) return outcome_type::error("interface is not operational", *wanted + ": it has carrier only");
        if (!has_address)
            return outcome_type::error("interface has no address", *wanted + (address == ipv4   ? ": IPv4"
                                                                              : address == ipv6 ? ": IPv6"
                                                                                                : ""));
        return outcome_type::ok();
    }

private:
    bool is_wanted(::sockaddr const& given) const {
        if (given.sa_family == AF_INET && address != ipv6) {
            auto const number = ntohl(reinterpret_cast<::sockaddr_in const&>(given).sin_addr.s_addr);
            return number >> 16 != 0xA9FE;
        }
        if (given.sa_family == AF_INET6 && address != ipv4)
            return !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<::sockaddr_in6 const&>(given).sin6_addr);
        return false;
    }
};

}  // namespace healthz
