// One connection to a chardev or control socket: lines out, lines in, and a deadline over everything.
#pragma once

#include <array>
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/result.hpp"
#include "agent/host/line_reader.hpp"

namespace clockmend::host {

struct Incoming {
  Line line;
  core::ClockSnapshot at;  // right after the bytes that ended the line were read
};

/// Not copyable; one operation at a time. Every operation ends by the deadline set last, with ErrorCode::timeout.
class Connection {
 public:
  using Deadline = asio::steady_timer::time_point;

  Connection(asio::io_context& loop, core::ClockReader& clock);

  /// The moment `d` from now.
  [[nodiscard]] Deadline after(core::nanoseconds d);
  [[nodiscard]] bool passed(Deadline deadline);
  void set_deadline(Deadline deadline) { deadline_ = deadline; }

  /// not_found: no such socket or nobody listens; not_permitted; busy: the listener's queue is full until the deadline.
  [[nodiscard]] asio::awaitable<core::Status> connect(const std::string& path);
  /// The bytes as they are. unavailable: the other side has gone.
  [[nodiscard]] asio::awaitable<core::Status> send(std::string bytes);
  /// The next line. unavailable: the other side has closed.
  [[nodiscard]] asio::awaitable<core::Result<Incoming>> receive();
  [[nodiscard]] std::size_t oversize_lines() const { return reader_.oversize(); }
  [[nodiscard]] core::ClockReader& clock() { return clock_; }

 private:
  void arm();
  void disarm();
  [[nodiscard]] core::Error failure(std::string_view what, const asio::error_code& error) const;

  asio::local::stream_protocol::socket socket_;
  asio::steady_timer watchdog_;
  core::ClockReader& clock_;
  LineReader reader_;
  Deadline deadline_ = Deadline::max();
  std::uint64_t armed_ = 0;  // number of the operation the watchdog guards; 0 between operations
  std::uint64_t operations_ = 0;
  bool timed_out_ = false;
  core::ClockSnapshot last_read_;
  std::array<char, 4096> buffer_{};
};

}  // namespace clockmend::host
