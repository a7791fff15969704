// Which guests: from what was typed to sockets, by way of a running `watch`, a folder, or libvirt.
#pragma once

#include <vector>

#include "agent/host/fleet.hpp"
#include "agent/host/helper.hpp"
#include "agent/host/lease_client.hpp"
#include "agent/host/options.hpp"

namespace clockmend::host {

/// Blocks for at most `deadline`. not_found, not_permitted: the folder; unavailable and others: libvirt. A guest that cannot be
/// visited is a target with a `trouble`; of --all only those with the port that run.
[[nodiscard]] core::Result<std::vector<Target>> targets_of(const Selection& selection, LeaseClient& lease, const Spawn& libvirt,
                                                           core::nanoseconds deadline);

/// Why libvirt's guest cannot be visited; empty: it can. One that is paused may run by the time it is asked.
[[nodiscard]] std::string trouble_with(const Domain& domain);

}  // namespace clockmend::host
