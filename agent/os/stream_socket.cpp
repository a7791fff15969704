#include "agent/os/stream_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/os/descriptor.hpp"
#include "agent/os/outgoing.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kSocketReadSize = 4096;
constexpr int kSocketReadsPerWakeup = 16;
constexpr std::chrono::seconds kLinger{1};

}  // namespace

class StreamSocket::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::io_context& io, std::function<void()> on_gone) : io_(io), descriptor_(io), linger_(io), on_gone_(std::move(on_gone)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { shut(); }

  core::Status take(UniqueFd fd) { return adopt(descriptor_, std::move(fd)); }

  void start(core::ByteStream::OnBytes on_bytes, core::ByteStream::OnState on_state) {
    on_bytes_ = std::move(on_bytes);
    on_state_ = std::move(on_state);
    wait_read();
  }

  core::Status send(std::string_view bytes) {
    if (state_ != core::StreamState::host_connected || closing_) {
      return core::Error{core::ErrorCode::unavailable, "the client is gone"};
    }
    if (auto queued = outgoing_.add(bytes); !queued) return queued;
    flush();
    return core::success();
  }

  [[nodiscard]] std::size_t pending() const { return outgoing_.size(); }
  [[nodiscard]] core::StreamState state() const { return state_; }

  void close() {
    if (std::exchange(closing_, true)) return;
    on_bytes_ = nullptr;
    on_state_ = nullptr;
    if (outgoing_.empty() || state_ != core::StreamState::host_connected) return shut();
    linger_.expires_after(kLinger);
    linger_.async_wait([self = shared_from_this()](const asio::error_code& ec) {
      if (!ec) self->shut();
    });
  }

 private:
  void wait_read() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
      if (!ec) self->drain();
    });
  }

  void drain() {
    for (int i = 0; i < kSocketReadsPerWakeup && on_bytes_; ++i) {
      char buffer[kSocketReadSize];
      const ssize_t n = ::recv(descriptor_.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n < 0) return end(core::StreamState::error, errno_error(errno, "client").text);
      if (n == 0) return end(core::StreamState::closed, "the client closed the connection");
      // A copy of the call keeps it alive should the callback close() the stream it is in.
      const auto call = on_bytes_;
      call({buffer, static_cast<std::size_t>(n)}, core::Arrival::live);
    }
    if (on_bytes_) wait_read();  // a budget used up: the others first, the rest with the next turn of the loop
  }

  void flush() {
    while (!outgoing_.empty()) {
      const std::string_view next = outgoing_.front();
      const ssize_t n = ::send(descriptor_.native_handle(), next.data(), next.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return wait_write();
      if (n < 0) return fail_soon(errno);
      outgoing_.drop(static_cast<std::size_t>(n));
    }
    if (closing_) shut();
  }

  void wait_write() {
    if (std::exchange(writing_, true)) return;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_write, [self = shared_from_this()](const asio::error_code& ec) {
      self->writing_ = false;
      if (!ec) self->flush();
    });
  }

  // Not from inside send(): the caller may be in the middle of something.
  void fail_soon(int number) {
    asio::post(io_, [self = shared_from_this(), number] { self->end(core::StreamState::error, errno_error(number, "client").text); });
  }

  void end(core::StreamState state, const std::string& why) {
    if (state_ != core::StreamState::host_connected) return;
    state_ = state;
    const auto call = std::exchange(on_state_, nullptr);
    on_bytes_ = nullptr;
    shut();
    if (call) call(state, why);
  }

  void shut() {
    linger_.cancel();
    asio::error_code ignored;
    descriptor_.close(ignored);
    if (const auto gone = std::exchange(on_gone_, nullptr)) gone();
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer linger_;
  std::function<void()> on_gone_;
  core::ByteStream::OnBytes on_bytes_;
  core::ByteStream::OnState on_state_;
  Outgoing outgoing_{core::ByteStream::kOutgoingLimit};
  core::StreamState state_ = core::StreamState::host_connected;
  bool writing_ = false;
  bool closing_ = false;
};

core::Result<std::unique_ptr<core::ByteStream>> StreamSocket::adopt_fd(asio::io_context& io, UniqueFd fd, std::function<void()> on_gone) {
  auto session = std::make_shared<Session>(io, std::move(on_gone));
  if (auto taken = session->take(std::move(fd)); !taken) return taken.error();
  return std::unique_ptr<core::ByteStream>{new StreamSocket{std::move(session)}};
}

StreamSocket::StreamSocket(std::shared_ptr<Session> session) : session_(std::move(session)) {}
StreamSocket::~StreamSocket() { session_->close(); }
void StreamSocket::start(OnBytes on_bytes, OnState on_state) { session_->start(std::move(on_bytes), std::move(on_state)); }
core::Status StreamSocket::send(std::string_view bytes) { return session_->send(bytes); }
std::size_t StreamSocket::pending() const { return session_->pending(); }
void StreamSocket::close() { session_->close(); }
core::StreamState StreamSocket::state() const { return session_->state(); }

core::Result<UniqueFd> connect_local(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return errno_error(ENAMETOOLONG, path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) return errno_error(errno, path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return errno_error(errno, path);
  return fd;
}

}  // namespace clockmend::os
