// The watcher's side of the lease (agent/host/lease.hpp): lets visitors into guests' ports, one visitor or `watch` at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/ports/byte_stream.hpp"
#include "agent/host/lease.hpp"
#include "agent/host/lease_client.hpp"
#include "agent/host/line_reader.hpp"

namespace clockmend::host {

/// What the desk asks of `watch`.
class LeaseBook {
 public:
  virtual ~LeaseBook() = default;
  /// Empty: it can answer; else why not.
  [[nodiscard]] virtual std::string why_not(const LeaseQuery& query) const = 0;
  [[nodiscard]] virtual std::vector<LeasedGuest> look_up(const LeaseQuery& query) const = 0;
  /// We are in this port now.
  [[nodiscard]] virtual bool visiting(const std::string& socket) const = 0;
  virtual void hold(const std::string& socket) = 0;
  virtual void release(const std::string& socket) = 0;
  /// A visitor has told this guest; nothing is left to be told of what happened until now.
  virtual void told(const std::string& socket) = 0;
};

class LeaseDesk {
 public:
  /// Guests in one request; more is nobody's honest wish.
  static constexpr std::size_t kMaxGuests = 20000;

  explicit LeaseDesk(LeaseBook& book) : book_(book) {}

  [[nodiscard]] core::Status start(core::StreamListener& listener);
  /// We have left a port: visitors may be waiting for it.
  void on_left();

 private:
  struct Visitor {
    std::unique_ptr<core::ByteStream> stream;
    LineReader reader{kMaxLeaseLine};
    LeaseQuery query;
    std::size_t asked = 0;
    std::vector<LeasedGuest> guests;
    bool waiting = false;
  };
  using Key = std::uint64_t;

  void admit(std::unique_ptr<core::ByteStream> stream);
  void hear(Key key, std::string_view bytes);
  void answer(Key key, const std::string& line);
  void lend(Key key);
  void let_go(Key key);
  void leave(Key key);
  void refuse(Key key, const std::string& why);

  LeaseBook& book_;
  std::map<Key, Visitor> visitors_;
  Key next_ = 0;
};

}  // namespace clockmend::host
