#include "agent/os/bus_connection.hpp"

#include <poll.h>

#include <asio/post.hpp>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "agent/os/descriptor.hpp"

namespace clockmend::os {
namespace {
// Messages handled before others get their turn of the loop.
constexpr int kMessagesPerTurn = 64;
}  // namespace

core::Result<std::shared_ptr<BusConnection>> BusConnection::open(asio::io_context& io, const BusPlace& place,
                                                                 std::function<void(const std::string&)> on_lost) {
  auto connection = std::make_shared<BusConnection>(io);
  if (auto connected = connection->connect(place); !connected) return connected.error();
  connection->on_lost_ = std::move(on_lost);
  connection->kick();
  return connection;
}

BusConnection::BusConnection(asio::io_context& io) : io_(io), descriptor_(io), timer_(io) {}

BusConnection::~BusConnection() { close(); }

core::Status BusConnection::connect(const BusPlace& place) {
  sd_bus* raw = nullptr;
  int rc = 0;
  if (place.address.empty()) {
    rc = ::sd_bus_open_system(&raw);
  } else {
    rc = ::sd_bus_new(&raw);
    if (rc >= 0) rc = ::sd_bus_set_address(raw, place.address.c_str());
    if (rc >= 0 && !place.peer) rc = ::sd_bus_set_bus_client(raw, 1);
    if (rc >= 0) rc = ::sd_bus_start(raw);
  }
  bus_.reset(raw);
  if (rc < 0) return core::Error{core::ErrorCode::unavailable, errno_error(-rc, "cannot reach D-Bus").text};
  const int fd = ::sd_bus_get_fd(bus_.get());
  if (fd < 0) return core::Error{core::ErrorCode::unavailable, errno_error(-fd, "cannot reach D-Bus").text};
  UniqueFd copy{::dup(fd)};
  if (!copy) return errno_error(errno, "D-Bus");
  return adopt(descriptor_, std::move(copy));
}

void BusConnection::kick() {
  if (pumping_ || !bus_ || std::exchange(kicked_, true)) return;
  asio::post(io_, [self = shared_from_this()] {
    self->kicked_ = false;
    self->pump();
  });
}

void BusConnection::pump() {
  if (!bus_ || pumping_) return;
  const auto self = shared_from_this();  // a callback may drop the last other reference
  pumping_ = true;
  int rc = 1;
  for (int i = 0; i < kMessagesPerTurn && rc > 0 && bus_; ++i) rc = ::sd_bus_process(bus_.get(), nullptr);
  pumping_ = false;
  if (!bus_) return;  // closed by a callback
  if (rc < 0) return lose(-rc);
  if (rc > 0) return kick();
  arm();
}

void BusConnection::arm() {
  const int events = ::sd_bus_get_events(bus_.get());
  if (events < 0) return lose(-events);
  if ((events & POLLIN) != 0 && !reading_) wait(false);
  if ((events & POLLOUT) != 0 && !writing_) wait(true);
  arm_timer();
}

void BusConnection::arm_timer() {
  std::uint64_t until_us = 0;  // absolute CLOCK_MONOTONIC, which is steady_clock: sd_bus_get_timeout(3)
  if (::sd_bus_get_timeout(bus_.get(), &until_us) < 0 || until_us == UINT64_MAX) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(std::chrono::steady_clock::time_point{std::chrono::microseconds{until_us}});
  timer_.async_wait([self = shared_from_this()](const asio::error_code& ec) {
    if (!ec) self->pump();
  });
}

void BusConnection::wait(bool writing) {
  (writing ? writing_ : reading_) = true;
  const auto what = writing ? asio::posix::stream_descriptor::wait_write : asio::posix::stream_descriptor::wait_read;
  descriptor_.async_wait(what, [self = shared_from_this(), writing](const asio::error_code& ec) {
    (writing ? self->writing_ : self->reading_) = false;
    if (!ec) self->pump();
  });
}

void BusConnection::lose(int number) {
  const auto call = std::exchange(on_lost_, nullptr);
  close();
  if (call) call(errno_error(number, "the D-Bus connection broke").text);
}

void BusConnection::close() {
  on_lost_ = nullptr;
  timer_.cancel();
  asio::error_code ignored;
  descriptor_.close(ignored);
  bus_.reset();
}

}  // namespace clockmend::os
