#include "probes/ntp/address_book.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "probes/ntp/address.hpp"

namespace clockmend::probes::ntp {

namespace {
// What one name may contribute: a resolver's answer is untrusted input as well.
constexpr std::size_t kMaxAddressesPerName = 16;
}  // namespace

std::string identity(const core::Endpoint& endpoint) { return canonical_address(endpoint.text).value_or(endpoint.text); }

void AddressBook::configure(std::vector<ServerName> servers) {
  servers_ = std::move(servers);
  const auto configured = [this](const std::string& host) {
    return std::any_of(servers_.begin(), servers_.end(), [&](const auto& s) { return s.host == host; });
  };
  std::erase_if(known_, [&](const auto& entry) { return !configured(entry.first); });
  std::erase_if(lookups_, [&](const auto& entry) { return !configured(entry.first); });
}

std::vector<std::string> AddressBook::addresses_of(const ServerName& server) const {
  if (canonical_address(server.host)) return {server.host};
  const auto found = known_.find(server.host);
  return found == known_.end() ? std::vector<std::string>{} : found->second.addresses;
}

std::vector<NamedEndpoint> AddressBook::known(std::size_t limit) const {
  std::vector<NamedEndpoint> out;
  std::set<std::string> seen;
  bool more = true;
  for (std::size_t rank = 0; more; ++rank) {
    more = false;
    for (const auto& server : servers_) {
      const auto addresses = addresses_of(server);
      if (rank >= addresses.size()) continue;
      more = true;
      const core::Endpoint endpoint{addresses[rank], server.port};
      if (out.size() == limit) return out;
      if (!can_be_asked(endpoint.text) || !seen.insert(identity(endpoint)).second) continue;
      out.push_back({endpoint, endpoint.text == server.host ? std::string{} : server.host});
    }
  }
  return out;
}

std::size_t AddressBook::duplicates() const {
  std::size_t all = 0;
  std::set<std::string> distinct;
  for (const auto& server : servers_) {
    for (const auto& address : addresses_of(server)) {
      ++all;
      distinct.insert(identity({address, server.port}));
    }
  }
  return all - distinct.size();
}

void AddressBook::refresh(core::milliseconds deadline, std::function<void()> changed) {
  changed_ = std::move(changed);
  for (const auto& server : servers_) {
    const auto& host = server.host;
    if (canonical_address(host) || lookups_.contains(host)) continue;
    lookups_[host] =
        resolver_.resolve(host, deadline, [this, host](core::Result<std::vector<std::string>> answer) { resolved(host, answer); });
  }
}

void AddressBook::resolved(const std::string& host, const core::Result<std::vector<std::string>>& answer) {
  const auto lookup = lookups_.extract(host);  // kept until the end: it is our caller
  auto& known = known_[host];
  if (answer && !answer->empty()) {
    known.addresses.assign(answer->begin(), answer->begin() + static_cast<std::ptrdiff_t>(std::min(answer->size(), kMaxAddressesPerName)));
    known.trouble.clear();
  } else {
    known.trouble = answer ? host + ": no address" : answer.error().text;
  }
  const auto changed = changed_;
  if (changed) changed();
}

std::string AddressBook::trouble() const {
  std::string out;
  for (const auto& server : servers_) {
    if (!addresses_of(server).empty()) continue;
    const auto found = known_.find(server.host);
    const bool pending = found == known_.end() || found->second.trouble.empty();
    out += (out.empty() ? "" : ", ") + (pending ? server.host + ": not resolved yet" : found->second.trouble);
  }
  return out;
}

}  // namespace clockmend::probes::ntp
