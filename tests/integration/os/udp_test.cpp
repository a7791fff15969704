// Connected UDP over loopback.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "agent/os/clock_reader.hpp"
#include "agent/os/udp_socket.hpp"
#include "agent/os/unique_fd.hpp"
#include "tests/fakes/real_loop.hpp"

namespace clockmend::os {
namespace {

using core::milliseconds;

// A bare UDP socket that the test itself reads and answers from.
class Peer {
 public:
  explicit Peer(int family) : family_(family), fd_(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage any{};
    any.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) reinterpret_cast<sockaddr_in&>(any).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET6) reinterpret_cast<sockaddr_in6&>(any).sin6_addr = in6addr_loopback;
    ok_ = ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), size()) == 0;
    socklen_t length = sizeof any;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&any), &length);
    port_ = ntohs(family == AF_INET ? reinterpret_cast<sockaddr_in&>(any).sin_port : reinterpret_cast<sockaddr_in6&>(any).sin6_port);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] core::Endpoint endpoint() const { return {family_ == AF_INET ? "127.0.0.1" : "::1", port_}; }

  std::string receive() {
    char buffer[2048];
    socklen_t length = sizeof client_;
    const ssize_t n = ::recvfrom(fd_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&client_), &length);
    return n < 0 ? "" : std::string(buffer, static_cast<std::size_t>(n));
  }
  void answer(const std::string& text) { answer_from(fd_.get(), text); }
  void answer_from(int fd, const std::string& text) {
    EXPECT_EQ(::sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&client_), size()), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }

 private:
  [[nodiscard]] socklen_t size() const { return family_ == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
  int family_;
  UniqueFd fd_;
  bool ok_ = false;
  std::uint16_t port_ = 0;
  sockaddr_storage client_{};
};

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span{text}); }

std::string text(const core::Datagram& d) { return {reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size()}; }

struct Udp : testing::TestWithParam<int> {
  asio::io_context io;
  LinuxClockReader clocks;
  UdpFactory factory{io, clocks};
  std::vector<std::string> got;
  std::vector<core::Datagram> datagrams;
  std::vector<core::Error> errors;
  std::unique_ptr<core::DatagramSocket> socket;

  void open(const core::Endpoint& peer) {
    auto opened = factory.open(
        peer,
        [this](const core::Datagram& d) {
          got.push_back(text(d));
          datagrams.push_back(d);
        },
        [this](const core::Error& e) { errors.push_back(e); });
    ASSERT_TRUE(opened.ok()) << opened.error().text;
    socket = std::move(opened).value();
  }
};

TEST_P(Udp, RequestAndAnswer) {
  Peer peer{GetParam()};
  ASSERT_TRUE(peer.ok());
  open(peer.endpoint());
  const auto sent = socket->send(bytes("request"));
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(peer.receive(), "request");
  peer.answer("answer");
  ASSERT_TRUE(fakes::run_until(io, [&] { return got.size() == 1; }));
  EXPECT_EQ(got[0], "answer");
  EXPECT_FALSE(datagrams[0].truncated);
  EXPECT_GE(datagrams[0].received.raw, sent->raw);
  EXPECT_LE(datagrams[0].received.raw, clocks.snapshot().raw);
  EXPECT_TRUE(errors.empty());
}

// The agent is late: the kernel's stamp must tell when the answer really came. The kernel turns stamping on in the background, so
// the first answers may not have one yet.
TEST_P(Udp, ALateReaderStillKnowsTheArrival) {
  Peer peer{GetParam()};
  ASSERT_TRUE(peer.ok());
  open(peer.endpoint());
  bool stamped = false;
  for (std::size_t round = 1; round <= 20 && !stamped; ++round) {
    ASSERT_TRUE(socket->send(bytes("request")).ok());
    peer.receive();
    peer.answer("answer");
    const core::ClockSnapshot arrived = clocks.snapshot();
    const auto late_until = arrived.monotonic + milliseconds{60};
    while (clocks.snapshot().monotonic < late_until) {
    }
    ASSERT_TRUE(fakes::run_until(io, [&] { return got.size() == round; }));
    stamped = datagrams.back().received.raw <= arrived.raw;
    EXPECT_GE(datagrams.back().received.raw, arrived.raw - milliseconds{60});
  }
  EXPECT_TRUE(stamped) << "the wake-up was taken for the arrival";
}

TEST_P(Udp, LongDatagramsAreMarked) {
  Peer peer{GetParam()};
  ASSERT_TRUE(peer.ok());
  open(peer.endpoint());
  ASSERT_TRUE(socket->send(bytes("x")).ok());
  peer.receive();
  peer.answer(std::string(1500, 'y'));
  ASSERT_TRUE(fakes::run_until(io, [&] { return got.size() == 1; }));
  EXPECT_TRUE(datagrams[0].truncated);
}

TEST_P(Udp, OthersAreNotHeard) {
  Peer peer{GetParam()};
  Peer stranger{GetParam()};
  ASSERT_TRUE(peer.ok());
  open(peer.endpoint());
  ASSERT_TRUE(socket->send(bytes("x")).ok());
  peer.receive();
  peer.answer_from(stranger.fd(), "forged");
  peer.answer("true");
  ASSERT_TRUE(fakes::run_until(io, [&] { return got.size() == 1; }));
  fakes::run_for(io, milliseconds{20});
  EXPECT_EQ(got, (std::vector<std::string>{"true"}));
}

TEST_P(Udp, AClosedPortIsAnError) {
  Peer peer{GetParam()};
  ASSERT_TRUE(peer.ok());
  const core::Endpoint nobody = peer.endpoint();
  peer.close();
  open(nobody);
  ASSERT_TRUE(socket->send(bytes("x")).ok());
  ASSERT_TRUE(fakes::run_until(io, [&] { return !errors.empty(); }));
  EXPECT_EQ(errors[0].code, core::ErrorCode::unavailable) << errors[0].text;
}

TEST_P(Udp, ACallbackMayDestroyItsSocket) {
  Peer peer{GetParam()};
  ASSERT_TRUE(peer.ok());
  int calls = 0;
  auto opened = factory.open(
      peer.endpoint(),
      [&](const core::Datagram&) {
        ++calls;
        socket.reset();
      },
      [](const core::Error&) {});
  ASSERT_TRUE(opened.ok());
  socket = std::move(opened).value();
  ASSERT_TRUE(socket->send(bytes("x")).ok());
  peer.receive();
  for (int i = 0; i < 5; ++i) peer.answer("y");
  ASSERT_TRUE(fakes::run_until(io, [&] { return calls > 0; }));
  fakes::run_for(io, milliseconds{20});
  EXPECT_EQ(calls, 1);
}

TEST_P(Udp, AFloodIsServedInPortions) {
  Peer peer{GetParam()};
  ASSERT_TRUE(peer.ok());
  open(peer.endpoint());
  ASSERT_TRUE(socket->send(bytes("x")).ok());
  peer.receive();
  for (int i = 0; i < 40; ++i) peer.answer("y");
  io.restart();
  ASSERT_EQ(io.run_one_for(core::seconds{5}), 1U);
  EXPECT_EQ(got.size(), 16U);
  EXPECT_TRUE(fakes::run_until(io, [&] { return got.size() == 40; }));
}

// A machine without IPv6 has no case for it.
std::vector<int> families_here() {
  std::vector<int> families{AF_INET};
  if (Peer{AF_INET6}.ok()) families.push_back(AF_INET6);
  return families;
}

INSTANTIATE_TEST_SUITE_P(Families, Udp, testing::ValuesIn(families_here()),
                         [](const auto& family) { return family.param == AF_INET ? "Ipv4" : "Ipv6"; });

TEST(UdpFactory, NamesAreRefusedWithoutAskingAnybody) {
  asio::io_context io;
  LinuxClockReader clocks;
  UdpFactory factory{io, clocks};
  for (const char* name : {"localhost", "time.example", "", "300.1.1.1", "fe80::1%no-such-link"}) {
    const auto opened = factory.open(
        {name, 123}, [](const core::Datagram&) {}, [](const core::Error&) {});
    ASSERT_FALSE(opened.ok()) << name;
    EXPECT_EQ(opened.error().code, core::ErrorCode::invalid) << opened.error().text;
  }
}

TEST(UdpFactory, ALinkLocalAddressKeepsItsScope) {
  asio::io_context io;
  LinuxClockReader clocks;
  UdpFactory factory{io, clocks};
  const auto opened = factory.open(
      {"fe80::1%lo", 123}, [](const core::Datagram&) {}, [](const core::Error&) {});
  // Whether lo has a route for it differs between machines; that the text was understood does not.
  if (!opened.ok()) {
    EXPECT_NE(opened.error().code, core::ErrorCode::invalid) << opened.error().text;
  }
}

}  // namespace
}  // namespace clockmend::os
