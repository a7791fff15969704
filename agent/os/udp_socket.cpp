#include "agent/os/udp_socket.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "agent/os/arrival_stamp.hpp"
#include "agent/os/descriptor.hpp"
#include "agent/os/errors.hpp"
#include "agent/os/timespecs.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {
namespace {

constexpr int kDatagramsPerWakeup = 16;
// NTP answers are 48 bytes plus extensions and authentication; longer ones come out marked as truncated.
constexpr std::size_t kBufferSize = 1024;

struct Callbacks {
  std::function<void(const core::Datagram&)> on_datagram;
  std::function<void(const core::Error&)> on_error;
};

// Kept alive by its pending wait, so that a callback may destroy the socket it was called from.
class Receiver : public std::enable_shared_from_this<Receiver> {
 public:
  Receiver(asio::io_context& io, core::ClockReader& clocks, std::string peer, Callbacks callbacks)
      : clocks_(clocks), descriptor_(io), peer_(std::move(peer)), callbacks_(std::move(callbacks)), reference_(clocks.snapshot()) {}

  core::Status take(UniqueFd fd) { return adopt(descriptor_, std::move(fd)); }

  void wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
      if (!ec) self->drain();
    });
  }

  core::Result<core::ClockSnapshot> send(std::span<const std::byte> bytes) {
    reference_ = clocks_.snapshot();
    const ssize_t n = ::send(descriptor_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return errno_error(errno, peer_);  // may report an ICMP error of an earlier datagram: udp(7)
    return reference_;
  }

  void close() {
    open_ = false;
    asio::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  void drain() {
    for (int i = 0; i < kDatagramsPerWakeup && open_; ++i) {
      if (!receive_one()) break;
    }
    if (open_) wait();
  }

  // False when nothing is left to read.
  bool receive_one() {
    std::byte buffer[kBufferSize];
    iovec data{buffer, sizeof buffer};
    alignas(cmsghdr) char control[128];
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = ::recvmsg(descriptor_.native_handle(), &message, MSG_DONTWAIT);
    if (n < 0) return report(errno);
    const core::ClockSnapshot wake = clocks_.snapshot();
    core::Datagram datagram;
    datagram.bytes = {buffer, static_cast<std::size_t>(n)};
    datagram.truncated = (message.msg_flags & MSG_TRUNC) != 0;
    datagram.received = arrival_clocks(wake, kernel_stamp(message), reference_);
    callbacks_.on_datagram(datagram);
    return true;
  }

  bool report(int number) {
    if (number == EINTR) return true;
    if (number == EAGAIN) return false;
    callbacks_.on_error(errno_error(number, peer_));
    return true;
  }

  static std::optional<core::RealtimePoint> kernel_stamp(msghdr& message) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec t{};
      std::memcpy(&t, CMSG_DATA(c), sizeof t);
      return core::RealtimePoint{from_timespec(t)};
    }
    return std::nullopt;
  }

  core::ClockReader& clocks_;
  asio::posix::stream_descriptor descriptor_;
  std::string peer_;
  Callbacks callbacks_;
  core::ClockSnapshot reference_;  // clocks at the last send: a step since then voids kernel stamps
  bool open_ = true;
};

class UdpSocket final : public core::DatagramSocket {
 public:
  explicit UdpSocket(std::shared_ptr<Receiver> receiver) : receiver_(std::move(receiver)) { receiver_->wait(); }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket() override { receiver_->close(); }
  core::Result<core::ClockSnapshot> send(std::span<const std::byte> bytes) override { return receiver_->send(bytes); }

 private:
  std::shared_ptr<Receiver> receiver_;
};

// Numeric only, so that it never asks anybody; takes "fe80::1%eth0" with its scope.
core::Result<UniqueFd> connect_numeric(const core::Endpoint& peer) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(peer.text.c_str(), std::to_string(peer.port).c_str(), &hints, &found) != 0 || found == nullptr) {
    return core::Error{core::ErrorCode::invalid, "not a numeric address: " + peer.text};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, ::freeaddrinfo};
  UniqueFd fd{::socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return errno_error(errno, peer.text);
  const int on = 1;
  // A missing stamp only costs accuracy: the wake-up is used then. The kernel turns stamping on in the background, so a datagram
  // in the first moment after the first such socket may be stamped when it is read; that is the wake-up, too.
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  // The kernel picks a random port, and from here on drops what others than the peer send.
  if (::connect(fd.get(), found->ai_addr, found->ai_addrlen) != 0) return errno_error(errno, peer.text);
  return fd;
}

}  // namespace

core::Result<std::unique_ptr<core::DatagramSocket>> UdpFactory::open(const core::Endpoint& peer,
                                                                     std::function<void(const core::Datagram&)> on_datagram,
                                                                     std::function<void(const core::Error&)> on_error) {
  auto fd = connect_numeric(peer);
  if (!fd) return fd.error();
  auto receiver = std::make_shared<Receiver>(io_, clocks_, peer.text, Callbacks{std::move(on_datagram), std::move(on_error)});
  if (auto taken = receiver->take(std::move(fd).value()); !taken) return taken.error();
  return std::unique_ptr<core::DatagramSocket>{std::make_unique<UdpSocket>(std::move(receiver))};
}

}  // namespace clockmend::os
