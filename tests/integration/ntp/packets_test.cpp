// Answers that carry our random bits, so they are the server's, and are wrong in themselves.
#include <cstdlib>

#include "tests/integration/ntp/hostile_fixture.hpp"

namespace clockmend::tests {
namespace {

constexpr std::int64_t kEraOne = 2'085'978'496;  // 2036-02-07 06:28:16 UTC: NTP's seconds begin again (RFC 5905 figure 4)

HostilePlan scripted(const std::function<void(fakes::NtpServerScript&)>& change) {
  HostilePlan plan;
  change(plan.script);
  return plan;
}

/// An extension field (RFC 7822): its type, the length it claims, and as many bytes of body as it has.
fakes::Bytes field(std::uint64_t type, std::uint64_t claimed, std::size_t body) {
  fakes::Bytes out(4 + body, std::byte{0xC5});
  fakes::put_be(out, 0, type, 2);
  fakes::put_be(out, 2, claimed, 2);
  return out;
}

HostilePlan trailed_by(const std::vector<fakes::Bytes>& fields) {
  HostilePlan plan;
  plan.script.tamper = [fields](fakes::Bytes& reply) {
    for (const auto& f : fields) reply.insert(reply.end(), f.begin(), f.end());
  };
  return plan;
}

TEST_F(NtpHostile, ZeroTimestampsAreRejected) {
  expect_refused({
      {tampered([](auto& r) { fakes::put_be(r, 24, 0, 8); }), "zero origin timestamp"},
      {tampered([](auto& r) { fakes::put_be(r, 32, 0, 8); }), "zero receive timestamp"},
      {tampered([](auto& r) { fakes::put_be(r, 40, 0, 8); }), "zero transmit timestamp"},
  });
}

TEST_F(NtpHostile, WrongModeStratumAndLeapAreRejected) {
  std::vector<std::pair<HostilePlan, std::string>> bad;
  for (const int mode : {0, 1, 2, 3, 5, 6, 7})
    bad.emplace_back(scripted([mode](auto& s) { s.mode = mode; }), "mode " + std::to_string(mode) + " is not");
  expect_refused(bad);
  bad.clear();
  for (const int stratum : {16, 17, 128, 255})
    bad.emplace_back(scripted([stratum](auto& s) { s.stratum = stratum; }), "stratum " + std::to_string(stratum));
  bad.emplace_back(scripted([](auto& s) { s.leap = 3; }), "LI=3");
  expect_refused(bad);
}

TEST_F(NtpHostile, OnlyVersionsThreeAndFourAreAnswers) {
  std::vector<std::pair<HostilePlan, std::string>> bad;
  for (const int version : {0, 1, 2, 5, 6, 7})
    bad.emplace_back(scripted([version](auto& s) { s.version = version; }), "NTP version " + std::to_string(version));
  expect_refused(bad);
  for (const int version : {3, 4}) {
    add(scripted([version](auto& s) { s.version = version; }));
    measure();
    expect_no_offset(1, 1);
    forget();
  }
}

TEST_F(NtpHostile, ShortAndOversizeRepliesAreRejected) {
  std::vector<std::pair<HostilePlan, std::string>> bad;
  for (const std::size_t length : {0U, 1U, 4U, 12U, 20U, 40U, 47U})
    bad.emplace_back(scripted([length](auto& s) { s.length = length; }), "reply of " + std::to_string(length) + " bytes");
  for (const std::size_t length : {1025U, 1500U, 4000U, 60'000U})  // above the receive buffer: MSG_TRUNC
    bad.emplace_back(scripted([length](auto& s) { s.length = length; }), "truncated reply");
  expect_refused(bad);
}

TEST_F(NtpHostile, WhatFollowsTheHeaderIsNotRead) {
  // RFC 8915: unique identifier 0x0104, cookie 0x0204, cookie placeholder 0x0304, authenticator 0x0404.
  const std::vector<std::vector<fakes::Bytes>> trails = {
      {field(0x0104, 36, 32), field(0x0204, 104, 100), field(0x0404, 40, 36)},
      {field(0x0404, 0, 24)},                                                       // a length of nothing
      {field(0x0204, 3, 12)},                                                       // shorter than its own header
      {field(0x0104, 65535, 20)},                                                   // longer than the datagram
      {field(0x0304, 17, 13)},                                                      // not a multiple of four
      {fakes::Bytes(4, std::byte{0})},                                              // crypto-NAK
      {fakes::Bytes(20, std::byte{0x5A})},                                          // a MAC nobody asked for
      {fakes::Bytes(1, std::byte{1})},                                              // one byte too many
      {field(0xFFFF, 16, 12), field(0, 0, 0), fakes::Bytes(900, std::byte{0xFF})},  // as much as fits
  };
  for (const auto& trail : trails) {
    add(trailed_by(trail));
    measure();
    expect_no_offset(1, 1);
    forget();
  }
}

TEST_F(NtpHostile, FarFromRootOrSlowIsNotBelieved) {
  const auto transmit_later = [](std::int64_t seconds) {
    return tampered(
        [seconds](auto& r) { fakes::put_be(r, 40, fakes::get_be(r, 32, 8) + (static_cast<std::uint64_t>(seconds) << 32U), 8); });
  };
  expect_refused({
      {scripted([](auto& s) { s.root_dispersion = 3100ms; }), "root distance"},
      {scripted([](auto& s) { s.root_delay = 6200ms; }), "root distance"},
      {tampered([](auto& r) { fakes::put_be(r, 4, ~std::uint64_t{0}, 8); }), "root distance"},  // delay and dispersion at their ends
      {transmit_later(5), "server processing time"},                                            // longer than 4 s
      {transmit_later(3), "server processing time"},                                            // longer than the round trip
      {transmit_later(-1), "server processing time"},                                           // T3 before T2
  });
}

TEST_F(NtpHostile, EraEdgesOnBothSides) {
  for (const auto pivot : {1704067200s, 1900000000s, core::seconds{kEraOne - 10}}) {
    for (const auto from_edge : {-2s, -1s, 1s, 2s, 3600s}) {
      floor = core::RealtimePoint{pivot};
      const core::nanoseconds error = core::RealtimePoint{core::seconds{kEraOne} + from_edge} - clocks.snapshot().realtime;
      add(scripted([error](auto& s) { s.error = error; }));
      measure();
      ASSERT_EQ(readings.size(), 1U) << from_edge.count() << " " << failures.at(0).why;
      EXPECT_LE(core::magnitude({readings[0].offset.value - error}), readings[0].uncertainty) << from_edge.count();
      forget();
    }
  }
}

TEST_F(NtpHostile, TheExactEdgeOfTheEraIsNoTime) {
  const auto at = [](std::uint64_t stamp) {
    return tampered([stamp](auto& r) {
      fakes::put_be(r, 32, stamp, 8);
      fakes::put_be(r, 40, stamp, 8);
    });
  };
  expect_refused({{at(0), "zero receive timestamp"}});
  for (const std::uint64_t stamp : {std::uint64_t{1}, ~std::uint64_t{0}}) {  // the first instant after, the last before
    add(at(stamp));
    measure();
    ASSERT_EQ(readings.size(), 1U) << failures.at(0).why;
    const auto told = clocks.snapshot().realtime + readings[0].offset.value;
    EXPECT_LT(std::abs((told - core::RealtimePoint{core::seconds{kEraOne}}) / 1s), 60) << stamp;
    forget();
  }
}

TEST_F(NtpHostile, TheEraComesFromTheFloor) {
  floor = core::RealtimePoint{core::seconds{kEraOne + 10}};
  const auto telling = [this](core::seconds when) {
    const core::nanoseconds error = core::RealtimePoint{when} - clocks.snapshot().realtime;
    return scripted([error](auto& s) { s.error = error; });
  };
  expect_refused({
      {telling(core::seconds{kEraOne - 10}), "before the last time known to be good"},
      {telling(core::seconds{kEraOne - 300 * 86400}), "before the last time known to be good"},
      // More than 8 years before the floor, the same stamp means the next era: after every time that is believed.
      {telling(core::seconds{1704067200}), "too far in the future"},
      {tampered([](auto& r) {
         fakes::put_be(r, 32, 1ULL << 63U, 8);  // the middle of era 1: 2104
         fakes::put_be(r, 40, 1ULL << 63U, 8);
       }),
       "too far in the future"},
  });
}

}  // namespace
}  // namespace clockmend::tests
