// Server names and the addresses they had when somebody last could tell.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/ports/datagram.hpp"
#include "agent/core/ports/resolver.hpp"

namespace clockmend::probes::ntp {

/// A server as configured: a name or a numeric address.
struct ServerName {
  std::string host;
  std::uint16_t port = 123;
  friend bool operator==(const ServerName&, const ServerName&) = default;
};

/// An address to ask, and the name it came from (empty for one configured as an address).
struct NamedEndpoint {
  core::Endpoint endpoint;
  std::string name;
};

/// Comparable identity of a server: two spellings of an address are one, and so are two ports of it.
[[nodiscard]] std::string identity(const core::Endpoint& endpoint);

class AddressBook {
 public:
  explicit AddressBook(core::Resolver& resolver) : resolver_(resolver) {}

  /// Addresses of names that stay are kept.
  void configure(std::vector<ServerName> servers);
  [[nodiscard]] const std::vector<ServerName>& servers() const { return servers_; }

  /// Everything that can be asked at once, without waiting for any resolver: at most `limit`, each address once, the first
  /// address of every name before the second of any.
  [[nodiscard]] std::vector<NamedEndpoint> known(std::size_t limit) const;
  /// Addresses that several entries lead to: asking one machine twice is no second opinion (CVE-2016-1549).
  [[nodiscard]] std::size_t duplicates() const;

  /// Looks all names up anew; `changed` after each answer, good or bad, never from inside this call. A look-up that fails
  /// leaves the last good addresses; running ones are joined, not repeated.
  void refresh(core::milliseconds deadline, std::function<void()> changed);
  [[nodiscard]] std::size_t pending() const { return lookups_.size(); }
  /// Why names have no address, for the operator; empty if all have one.
  [[nodiscard]] std::string trouble() const;

 private:
  struct Known {
    std::vector<std::string> addresses;
    std::string trouble;
  };
  void resolved(const std::string& host, const core::Result<std::vector<std::string>>& answer);
  [[nodiscard]] std::vector<std::string> addresses_of(const ServerName& server) const;

  core::Resolver& resolver_;
  std::vector<ServerName> servers_;
  std::map<std::string, Known> known_;  // by name; numeric servers are not in here
  std::map<std::string, std::unique_ptr<core::Lookup>> lookups_;
  std::function<void()> changed_;
};

}  // namespace clockmend::probes::ntp
