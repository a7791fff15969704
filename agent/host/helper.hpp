// clockmend-host-libvirt at work: its lines as values, with a deadline.
#pragma once

#include <array>
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/time.hpp"
#include "agent/host/domain_feed.hpp"
#include "agent/host/line_reader.hpp"

namespace clockmend::host {

/// A started program.
struct Child {
  int output = -1;           // the reading end of its stdout; ours to close
  std::function<int()> end;  // kills it where it still runs; its exit status
};
using Spawn = std::function<core::Result<Child>(const std::vector<std::string>& arguments)>;

class Helper {
 public:
  using Deadline = asio::steady_timer::time_point;

  explicit Helper(asio::io_context& loop);
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  /// Ends the program.
  ~Helper();

  [[nodiscard]] core::Status start(const Spawn& spawn, const std::vector<std::string>& arguments);
  /// The next line. timeout; what the program says as its error; unavailable: it ended, or writes nonsense.
  [[nodiscard]] asio::awaitable<core::Result<Feed>> next(Deadline deadline = Deadline::max());

 private:
  struct Watchdog {
    bool armed = true;
    bool late = false;
  };
  [[nodiscard]] std::shared_ptr<Watchdog> arm(Deadline deadline);
  [[nodiscard]] core::Error ended();

  asio::posix::stream_descriptor output_;
  asio::steady_timer watchdog_;
  LineReader reader_;
  Child child_;
  std::array<char, 4096> buffer_{};
};

/// Which guests to ask libvirt for.
struct DomainQuery {
  std::string uri;
  std::vector<std::string> names;  // empty: every active one
};

/// Blocks at most until the deadline has passed. A name that libvirt does not know comes as an inactive Domain.
[[nodiscard]] core::Result<std::vector<Domain>> ask_libvirt(const Spawn& spawn, const DomainQuery& query, core::nanoseconds deadline);

}  // namespace clockmend::host
