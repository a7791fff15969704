#include "agent/host/connection.hpp"

#include <asio/buffer.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <utility>

#include "agent/wire/request.hpp"

namespace clockmend::host {

namespace {

using core::ErrorCode;

// A full queue drains when the client before us is done; 20 ms is short beside a correction.
constexpr core::milliseconds kRetryConnect{20};

ErrorCode code_of(const asio::error_code& error) {
  // Asio's system category does not compare equal to std::errc conditions, so errno is compared itself.
  const bool missing = error.category() == asio::error::get_system_category() && error.value() == ENOENT;
  if (missing || error == asio::error::connection_refused) return ErrorCode::not_found;
  if (error == asio::error::access_denied || error == asio::error::no_permission) return ErrorCode::not_permitted;
  if (error == asio::error::eof || error == asio::error::broken_pipe || error == asio::error::connection_reset)
    return ErrorCode::unavailable;
  return ErrorCode::io;
}

}  // namespace

Connection::Connection(asio::io_context& loop, core::ClockReader& clock)
    : socket_(loop), watchdog_(loop), clock_(clock), reader_(wire::kMaxReply) {}

Connection::Deadline Connection::after(core::nanoseconds d) {
  asio::steady_timer timer(watchdog_.get_executor());
  timer.expires_after(d);
  return timer.expiry();
}

bool Connection::passed(Deadline deadline) { return deadline <= after(core::nanoseconds::zero()); }

void Connection::arm() {
  const std::uint64_t operation = ++operations_;
  armed_ = operation;
  timed_out_ = false;
  watchdog_.expires_at(deadline_);
  watchdog_.async_wait([this, operation](const asio::error_code& error) {
    // A handler that was already queued when its operation ended must not end the next one.
    if (error || armed_ != operation) return;
    timed_out_ = true;
    asio::error_code ignored;
    socket_.cancel(ignored);
  });
}

void Connection::disarm() {
  armed_ = 0;
  watchdog_.cancel();
}

core::Error Connection::failure(std::string_view what, const asio::error_code& error) const {
  if (timed_out_) return {ErrorCode::timeout, std::string{what} + ": no answer in time"};
  return {code_of(error), std::string{what} + ": " + error.message()};
}

asio::awaitable<core::Status> Connection::connect(const std::string& path) {
  // unix(7): sun_path, with its terminating null byte.
  constexpr std::size_t kLongestPath = 107;
  if (path.empty() || path.size() > kLongestPath)
    co_return core::Error{ErrorCode::invalid, "socket path is empty or longer than " + std::to_string(kLongestPath) + " bytes: " + path};
  const asio::local::stream_protocol::endpoint endpoint(path);
  for (;;) {
    asio::error_code error;
    arm();
    co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    disarm();
    if (!error) co_return core::success();
    // connect(2) on a unix socket says EAGAIN when the listener's queue is full, and there is nothing to poll for. Asio
    // turns it into "no buffer space".
    if (error != asio::error::no_buffer_space) co_return failure("connect " + path, error);
    socket_.close(error);
    if (passed(deadline_)) co_return core::Error{ErrorCode::busy, path + ": other clients are waiting already"};
    asio::steady_timer pause(watchdog_.get_executor(), kRetryConnect);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<core::Status> Connection::send(std::string bytes) {
  asio::error_code error;
  arm();
  co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
  disarm();
  if (error) co_return failure("write", error);
  co_return core::success();
}

asio::awaitable<core::Result<Incoming>> Connection::receive() {
  for (;;) {
    std::optional<Line> line = reader_.next();
    if (line) co_return Incoming{std::move(*line), last_read_};
    // Reads that are always ready complete without the watchdog ever running; a flood must not outlive the deadline.
    if (passed(deadline_)) co_return core::Error{ErrorCode::timeout, "read: no answer in time"};
    asio::error_code error;
    arm();
    const std::size_t got = co_await socket_.async_read_some(asio::buffer(buffer_), asio::redirect_error(asio::use_awaitable, error));
    last_read_ = clock_.snapshot();
    disarm();
    if (error) co_return failure("read", error);
    reader_.feed(std::string_view{buffer_.data(), got});
  }
}

}  // namespace clockmend::host
