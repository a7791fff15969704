// The port's behaviour against a socket pair, which shares with a virtio port what matters here: non-blocking reads, EPOLLHUP
// as a level after the other side is gone, EAGAIN when full. What only the real driver does is tested in a guest.
#include "agent/os/virtio_port.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "tests/fakes/real_loop.hpp"

namespace clockmend::os {
namespace {

using core::StreamState;

constexpr const char* kName = "org.clockmend.agent.0";

core::DeviceEvent port_event(core::DeviceAction action, const std::string& devnode = "/dev/vport1p1", const std::string& name = kName) {
  return {action, "virtio-ports", devnode, name};
}

struct Port : testing::Test {
  asio::io_context io;
  UniqueFd host;
  int refuse = 0;  // errno of the next opens
  int opens = 0;
  std::vector<StreamState> states;
  std::string received;
  std::vector<core::Arrival> arrivals;
  VirtioPort port{io, kName, [this](const std::string&) { return open(); }};

  UniqueFd open() {
    ++opens;
    if (refuse != 0) {
      errno = refuse;
      return UniqueFd{};
    }
    int pair[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    host.reset(pair[1]);
    return UniqueFd{pair[0]};
  }
  void start() {
    port.start(
        [this](std::string_view bytes, core::Arrival arrival) {
          received += bytes;
          arrivals.push_back(arrival);
        },
        [this](StreamState state, const std::string&) { states.push_back(state); });
  }
  void plug() { port.device_event(port_event(core::DeviceAction::add)); }
  bool until_received(const std::string& text) {
    return fakes::run_until(io, [&] { return received == text; });
  }
  void host_says(std::string_view text) { EXPECT_EQ(::send(host.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size())); }
};

TEST_F(Port, IsGoneUntilItsDeviceComes) {
  start();
  fakes::run_for(io, std::chrono::milliseconds{20});
  EXPECT_EQ(port.state(), StreamState::gone);
  port.device_event(port_event(core::DeviceAction::add, "/dev/vport1p2", "org.qemu.guest_agent.0"));
  port.device_event({core::DeviceAction::add, "rtc", "/dev/rtc0", kName});
  EXPECT_EQ(opens, 0);
  plug();
  EXPECT_EQ(states, (std::vector{StreamState::open, StreamState::host_connected}));
  EXPECT_EQ(port.devnode(), "/dev/vport1p1");
}

TEST_F(Port, GetsItsNameLater) {
  start();
  port.device_event(port_event(core::DeviceAction::add, "/dev/vport1p1", ""));
  EXPECT_EQ(opens, 0);
  port.device_event(port_event(core::DeviceAction::change));
  EXPECT_EQ(opens, 1);
  port.device_event(port_event(core::DeviceAction::change));
  EXPECT_EQ(opens, 1) << "already open";
}

TEST_F(Port, ADeviceSeenBeforeStartIsOpenedByStart) {
  plug();
  EXPECT_EQ(opens, 0);
  start();
  EXPECT_TRUE(fakes::run_until(io, [&] { return port.state() == StreamState::host_connected; }));
}

TEST_F(Port, BytesBothWays) {
  start();
  plug();
  host_says("{\"execute\":\"guest-ping\"}\n");
  EXPECT_TRUE(until_received("{\"execute\":\"guest-ping\"}\n"));
  EXPECT_TRUE(port.send("{\"return\":{}}\n").ok());
  char answer[64] = "";
  EXPECT_EQ(::recv(host.get(), answer, sizeof answer, 0), 14);
  host_says("again");  // a second edge
  EXPECT_TRUE(until_received("{\"execute\":\"guest-ping\"}\nagain"));
}

TEST_F(Port, MarksWhatMayHaveWaited) {
  start();
  plug();
  host_says("old");
  EXPECT_TRUE(until_received("old"));
  EXPECT_EQ(arrivals.at(0), core::Arrival::backlog);
  fakes::run_for(io, std::chrono::milliseconds{300});
  host_says("new");
  EXPECT_TRUE(until_received("oldnew"));
  EXPECT_EQ(arrivals.at(1), core::Arrival::live);
}

TEST_F(Port, AFloodIsReadToTheEndThoughItsEdgeCameOnce) {
  start();
  plug();
  const std::string flood(150'000, 'x');
  host_says(flood);
  EXPECT_TRUE(fakes::run_until(io, [&] { return received.size() == flood.size(); }));
}

TEST_F(Port, ReportsTheHostLeavingAfterItsLastWordsAndDoesNotSpin) {
  start();
  plug();
  host_says("last");
  host.reset();
  EXPECT_TRUE(fakes::run_until(io, [&] { return port.state() == StreamState::host_disconnected; }));
  EXPECT_EQ(received, "last");
  EXPECT_EQ(port.send("x").error().code, core::ErrorCode::unavailable);
  io.restart();
  EXPECT_EQ(io.run_for(std::chrono::milliseconds{100}), 0U) << "EPOLLHUP is a level: the loop must sleep all the same";
}

TEST_F(Port, UnpluggedAndPluggedAgain) {
  start();
  plug();
  port.device_event(port_event(core::DeviceAction::remove, ""));
  EXPECT_EQ(port.state(), StreamState::gone);
  EXPECT_EQ(port.devnode(), "");
  plug();
  EXPECT_EQ(port.state(), StreamState::host_connected);
  host_says("hello again");
  EXPECT_TRUE(until_received("hello again"));
  EXPECT_EQ(states, (std::vector{StreamState::open, StreamState::host_connected, StreamState::gone, StreamState::open,
                                 StreamState::host_connected}));
}

TEST_F(Port, HeldByAnotherProcessIsTriedAgain) {
  refuse = EBUSY;
  start();
  plug();
  EXPECT_EQ(port.state(), StreamState::busy);
  refuse = 0;
  EXPECT_TRUE(fakes::run_until(io, [&] { return port.state() == StreamState::host_connected; }));
  EXPECT_EQ(opens, 2);
}

TEST_F(Port, ADeviceThatVanishedBeforeOpeningIsGone) {
  refuse = ENODEV;
  start();
  plug();
  EXPECT_EQ(port.state(), StreamState::gone);
}

TEST_F(Port, AFullHostIsBoundedAndDrainsLater) {
  start();
  plug();
  const std::string reply(64 * 1024, 'r');
  core::Status status = core::success();
  std::size_t accepted = 0;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = port.send(reply);
    if (status.ok()) accepted += reply.size();
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, core::ErrorCode::busy);
  EXPECT_LE(port.pending(), core::ByteStream::kOutgoingLimit);
  std::size_t got = 0;
  EXPECT_TRUE(fakes::run_until(io, [&] {
    char buffer[65536];
    const ssize_t n = ::recv(host.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) got += static_cast<std::size_t>(n);
    return got == accepted;
  }));
  EXPECT_EQ(port.pending(), 0U);
}

TEST_F(Port, ACallbackMayCloseTheStreamItCameFrom) {
  port.start(
      [this](std::string_view bytes, core::Arrival) {
        received += bytes;
        port.close();
      },
      [this](StreamState state, const std::string&) { states.push_back(state); });
  plug();
  host_says(std::string(20'000, 'x'));
  fakes::run_for(io, std::chrono::milliseconds{50});
  EXPECT_LE(received.size(), 4096U) << "nothing after close()";
  plug();
  EXPECT_EQ(opens, 1) << "closed for good";
}

}  // namespace
}  // namespace clockmend::os
