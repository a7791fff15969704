// A domain's XML (libvirt.org/formatdomain.html), as far as it concerns us.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/result.hpp"

namespace clockmend::host {

inline constexpr std::string_view kPortName = "org.clockmend.agent.0";
/// Larger than any that libvirt's protocol carries (REMOTE_STRING_MAX).
inline constexpr std::size_t kMaxDomainXml = std::size_t{4} * 1024 * 1024;

/// The path in <channel type='unix'><source mode='bind' path=.../><target type='virtio' name='org.clockmend.agent.0'/></channel>
/// below /domain/devices; empty: there is none. Foreign elements (<metadata>, qemu:commandline) are not looked at.
/// unsupported: the port is there with another kind of source; invalid: no XML of a domain.
[[nodiscard]] core::Result<std::string> channel_socket(std::string_view xml);

}  // namespace clockmend::host
