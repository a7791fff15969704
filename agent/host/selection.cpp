#include "agent/host/selection.hpp"

#include <algorithm>
#include <utility>

#include "agent/host/socket_folder.hpp"

namespace clockmend::host {

namespace {

// `watch` answers at once unless it is in one of these ports, where it stays a second at most.
constexpr core::seconds kLeaseDeadline{2};

std::vector<Target> from_lease(const std::vector<LeasedGuest>& guests) {
  std::vector<Target> targets;
  targets.reserve(guests.size());
  for (const LeasedGuest& guest : guests) targets.push_back({guest.socket, guest.name, guest.trouble});
  return targets;
}

core::Status add_folder(const std::string& folder, std::vector<Target>& targets) {
  const core::Result<std::vector<std::string>> found = sockets_in(folder);
  if (!found) return found.error();
  for (const std::string& socket : *found) targets.push_back({socket, "", ""});
  return core::success();
}

core::Status add_domains(const Selection& selection, const Spawn& libvirt, core::nanoseconds deadline, std::vector<Target>& targets) {
  const core::Result<std::vector<Domain>> found = ask_libvirt(libvirt, {selection.uri, selection.domains}, deadline);
  // What failed in libvirt's half is libvirt's failure, whatever its kind.
  if (!found) return core::Error{core::ErrorCode::unavailable, found.error().text};
  for (const Domain& domain : *found) {
    const std::string trouble = trouble_with(domain);
    if (selection.all && (!trouble.empty() || !domain.running)) continue;
    targets.push_back({trouble.empty() ? domain.socket : "", domain.name, trouble});
  }
  return core::success();
}

}  // namespace

std::string trouble_with(const Domain& domain) {
  if (domain.uuid == "-") return "libvirt knows no such guest";
  if (!domain.active) return "the guest does not run";
  if (domain.socket.empty()) return "the guest has no channel org.clockmend.agent.0 with a unix socket";
  return {};
}

core::Result<std::vector<Target>> targets_of(const Selection& selection, LeaseClient& lease, const Spawn& libvirt,
                                             core::nanoseconds deadline) {
  std::vector<Target> targets;
  const bool by_folder = selection.all && !selection.directory.empty();
  LeaseQuery query{selection.sockets, selection.domains, selection.all && !by_folder};
  if (by_folder) {
    if (auto added = add_folder(selection.directory, targets); !added) return added.error();
    for (const Target& target : targets) query.sockets.push_back(target.socket);
  }
  // The usual `watch` follows the usual libvirt, and does not know the guests of another.
  const bool same_libvirt = selection.uri.empty() || selection.control != kControlSocket;
  if (!selection.control.empty() && same_libvirt) {
    const auto leased = lease.take(selection.control, query, std::min<core::nanoseconds>(deadline, kLeaseDeadline));
    if (leased) return from_lease(*leased);
  }
  if (by_folder) return targets;
  for (const std::string& socket : selection.sockets) targets.push_back({socket, "", ""});
  if (selection.domains.empty() && !selection.all) return targets;
  if (auto added = add_domains(selection, libvirt, deadline, targets); !added) return added.error();
  return targets;
}

}  // namespace clockmend::host
