// libvirt's read-only connection: which guests there are, and what happens to them. Every call may block; the program that
// started us holds the deadline.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/host/domain_feed.hpp"

// libvirt's own types stay in the source file.
struct _virConnect;
struct _virDomain;

namespace clockmend::host {

class Hypervisor {
 public:
  using Say = std::function<void(const Feed& feed)>;

  explicit Hypervisor(Say say);
  ~Hypervisor();
  Hypervisor(const Hypervisor&) = delete;
  Hypervisor& operator=(const Hypervisor&) = delete;

  /// `uri` empty: libvirt's default. unavailable: nobody answers there, with libvirt's words.
  [[nodiscard]] core::Status open(const std::string& uri);
  /// Says every active guest.
  [[nodiscard]] core::Status list();
  /// Says these; one that libvirt does not know is said as an inactive Domain without UUID.
  [[nodiscard]] core::Status find(const std::vector<std::string>& names);
  /// Says the active guests, then their events and changes of their devices. Returns when the connection is lost.
  [[nodiscard]] core::Error follow();

  /// For libvirt's callbacks.
  void heard(_virDomain* domain, int event, int detail);
  void changed(_virDomain* domain);
  void lost(int reason);

 private:
  [[nodiscard]] Domain describe(_virDomain* domain) const;
  [[nodiscard]] core::Status subscribe();

  Say say_;
  _virConnect* connection_ = nullptr;
  bool lost_ = false;
  int reason_ = 0;
};

}  // namespace clockmend::host
