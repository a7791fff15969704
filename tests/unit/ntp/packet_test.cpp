#include "probes/ntp/packet.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/fakes/fake_ntp_server.hpp"

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;

TEST(NtpPacket, RequestCarriesNothingButTheNonce) {
  const auto bytes = encode_request({0x0123456789ABCDEFU});
  ASSERT_EQ(bytes.size(), 48U);
  EXPECT_EQ(bytes[0], std::byte{0x23});  // LI 0, VN 4, mode 3
  for (std::size_t i = 1; i < 40; ++i) EXPECT_EQ(bytes[i], std::byte{0}) << i;
  const unsigned char nonce[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(std::to_integer<unsigned>(bytes[40 + i]), nonce[i]);
}

TEST(NtpPacket, DecodesEveryField) {
  fakes::NtpServerScript server;
  server.leap = 1;
  server.version = 3;
  server.stratum = 7;
  server.poll = 10;
  server.precision = -20;
  server.root_delay = 250ms;
  server.root_dispersion = 125ms;
  server.refid = "PPS";
  fakes::Bytes request(48);
  fakes::put_be(request, 40, 0xDEADBEEF01020304U, 8);
  const core::RealtimePoint arrival{1735689600s};
  const auto packet = decode(fakes::ntp_reply(server, request, arrival));
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->leap, 1);
  EXPECT_EQ(packet->version, 3);
  EXPECT_EQ(packet->mode, 4);
  EXPECT_EQ(packet->stratum, 7);
  EXPECT_EQ(packet->poll, 10);
  EXPECT_EQ(packet->precision, -20);
  EXPECT_EQ(packet->root_delay, 250ms);
  EXPECT_EQ(packet->root_dispersion, 125ms);
  EXPECT_EQ(packet->kiss_code(), "PPS?");
  EXPECT_EQ(packet->origin.value, 0xDEADBEEF01020304U);
  EXPECT_EQ(packet->receive.value, fakes::ntp_stamp(arrival));
  EXPECT_EQ(packet->transmit.value, fakes::ntp_stamp(arrival + server.processing));
}

TEST(NtpPacket, ShorterThanTheHeaderIsNoPacket) {
  for (std::size_t n = 0; n < 48; ++n) EXPECT_FALSE(decode(std::vector<std::byte>(n))) << n;
  EXPECT_TRUE(decode(std::vector<std::byte>(48)));
  EXPECT_TRUE(decode(std::vector<std::byte>(1024)));
}

TEST(NtpPacket, KissCodeIsPrintableWhateverArrives) {
  Packet p;
  p.refid = {'\x1b', '\n', 'A', '\xff'};
  EXPECT_EQ(p.kiss_code(), "??A?");
}

TEST(NtpPacket, RandomBytesNeverBreakTheDecoder) {
  const unsigned seed = 7;
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::byte> bytes(random() % 100);
    for (auto& b : bytes) b = static_cast<std::byte>(random());
    EXPECT_EQ(decode(bytes).has_value(), bytes.size() >= 48) << "seed " << seed;
  }
}

}  // namespace
}  // namespace clockmend::probes::ntp
