// Numeric addresses as text: which two are the same server, and which cannot be one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace clockmend::probes::ntp {

/// One spelling per address, for comparison only ("::FFFF:192.0.2.1" and "192.0.2.1" are the same server; so are all
/// spellings of an IPv6 address). Nothing if `text` is not a numeric address, i.e. is a name to resolve.
[[nodiscard]] std::optional<std::string> canonical_address(std::string_view text);

/// False for addresses no client can ask: unspecified, multicast, broadcast, and ntpd's 127.127.t.u, which names a local
/// reference clock driver and not a host.
[[nodiscard]] bool can_be_asked(std::string_view numeric);

/// ntpd's notation for reference clocks.
[[nodiscard]] bool is_reference_clock(std::string_view text);

/// Letters, digits, '-', '_' and '.' as in a host name, or a numeric address; at most 253 characters.
[[nodiscard]] bool is_host_text(std::string_view text);

}  // namespace clockmend::probes::ntp
