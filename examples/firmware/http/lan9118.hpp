// SPDX-License-Identifier: BSL-1.0
// The board's Ethernet controller, a LAN9118, as a network interface of lwIP. It is polled; whole frames go through its FIFOs.
#pragma once

#include <lwip/err.h>
#include <lwip/netif.h>

namespace lan9118 {

/// Starts the controller. For `netif_add`; `ERR_IF` where there is none.
err_t start(netif* as);

/// Hands over what has come to lwIP: so many frames at most.
void poll(netif& from, int most);

}  // namespace lan9118
