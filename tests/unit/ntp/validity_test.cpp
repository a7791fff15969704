#include "probes/ntp/validity.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/ntp/reply_bench.hpp"

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;

struct Row {
  const char* name;
  std::function<void(ReplyBench&)> spoil;
  std::optional<Refusal> expected;
};

void zero(fakes::Bytes& bytes, std::size_t at) { fakes::put_be(bytes, at, 0, 8); }

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {"honest", [](auto&) {}, std::nullopt},
      {"version 3", [](auto& b) { b.server.version = 3; }, std::nullopt},
      {"version 2", [](auto& b) { b.server.version = 2; }, Refusal::wrong_version},
      {"version 5", [](auto& b) { b.server.version = 5; }, Refusal::wrong_version},
      {"mode 3: a request", [](auto& b) { b.server.mode = 3; }, Refusal::wrong_mode},
      {"mode 5: broadcast", [](auto& b) { b.server.mode = 5; }, Refusal::wrong_mode},
      {"mode 6: control", [](auto& b) { b.server.mode = 6; }, Refusal::wrong_mode},
      {"mode 7: private", [](auto& b) { b.server.mode = 7; }, Refusal::wrong_mode},
      {"wrong origin", [](auto& b) { b.server.tamper = [](auto& r) { r[30] ^= std::byte{1}; }; }, Refusal::wrong_origin},
      {"zero origin", [](auto& b) { b.server.tamper = [](auto& r) { zero(r, 24); }; }, Refusal::wrong_origin},
      {"zero receive", [](auto& b) { b.server.tamper = [](auto& r) { zero(r, 32); }; }, Refusal::zero_timestamp},
      {"zero transmit", [](auto& b) { b.server.tamper = [](auto& r) { zero(r, 40); }; }, Refusal::zero_timestamp},
      {"leap 1", [](auto& b) { b.server.leap = 1; }, std::nullopt},
      {"leap 3", [](auto& b) { b.server.leap = 3; }, Refusal::unsynchronized},
      {"stratum 0",
       [](auto& b) {
         b.server.stratum = 0;
         b.server.leap = 3;
         b.server.refid = "RATE";
       },
       Refusal::kiss_of_death},
      {"stratum 15", [](auto& b) { b.server.stratum = 15; }, std::nullopt},
      {"stratum 16", [](auto& b) { b.server.stratum = 16; }, Refusal::bad_stratum},
      {"stratum 255", [](auto& b) { b.server.stratum = 255; }, Refusal::bad_stratum},
      {"47 bytes", [](auto& b) { b.server.length = 47; }, Refusal::too_short},
      {"empty", [](auto& b) { b.server.length = 0; }, Refusal::too_short},
      {"extension fields", [](auto& b) { b.server.length = 228; }, std::nullopt},
      {"truncated",
       [](auto& b) {
         b.server.length = 1024;
         b.truncated = true;
       },
       Refusal::truncated},
      {"root dispersion 2.9 s", [](auto& b) { b.server.root_dispersion = 2900ms; }, std::nullopt},
      {"root dispersion 3.1 s", [](auto& b) { b.server.root_dispersion = 3100ms; }, Refusal::far_from_root},
      {"root delay 6.1 s", [](auto& b) { b.server.root_delay = 6100ms; }, Refusal::far_from_root},
      {"round trip 2.9 s", [](auto& b) { b.server.out = 2900ms; }, std::nullopt},
      {"round trip 3.1 s", [](auto& b) { b.server.out = 3100ms; }, Refusal::bad_round_trip},
      {"counter ran on during a pause",
       [](auto& b) { b.on_the_way_back = [&b] { b.clock.pause(40s, fakes::FakeClock::Pause::counter_ran_on); }; }, Refusal::bad_round_trip},
      {"processing above 4 s",
       [](auto& b) { b.server.tamper = [&b](auto& r) { fakes::put_be(r, 40, fakes::ntp_stamp(b.clock.truth() + 4100ms), 8); }; },
       Refusal::bad_processing},
      {"processing above the round trip",
       [](auto& b) { b.server.tamper = [&b](auto& r) { fakes::put_be(r, 40, fakes::ntp_stamp(b.clock.truth() + 100ms), 8); }; },
       Refusal::bad_processing},
      {"transmit before receive",
       [](auto& b) { b.server.tamper = [&b](auto& r) { fakes::put_be(r, 40, fakes::ntp_stamp(b.clock.truth() - 1ms), 8); }; },
       Refusal::bad_processing},
      {"before the floor", [](auto& b) { b.server.error = -2 * 366 * 86400s; }, Refusal::before_floor},
      {"after the ceiling", [](auto& b) { b.server.error = 80LL * 366 * 86400s; }, Refusal::after_ceiling},
      {"10 years ahead", [](auto& b) { b.server.error = 10 * 366 * 86400s; }, std::nullopt},
  };
  return table;
}

TEST(NtpValidity, EachFaultIsRefusedForItsReason) {
  for (const auto& row : rows()) {
    SCOPED_TRACE(row.name);
    ReplyBench bench;
    row.spoil(bench);
    const auto verdict = bench.run();
    const auto* rejection = std::get_if<Rejection>(&verdict);
    ASSERT_EQ(rejection != nullptr, row.expected.has_value());
    if (rejection == nullptr) continue;
    EXPECT_EQ(static_cast<int>(rejection->why), static_cast<int>(*row.expected)) << rejection->text;
    EXPECT_FALSE(rejection->text.empty());
  }
}

TEST(NtpValidity, OnlyAPacketWithOurBitsEndsTheWait) {
  const auto ends = [](Refusal why) { return Rejection{why, {}, {}}.from_server(); };
  for (const auto why : {Refusal::truncated, Refusal::too_short, Refusal::wrong_mode, Refusal::wrong_version, Refusal::wrong_origin})
    EXPECT_FALSE(ends(why));
  for (const auto why :
       {Refusal::kiss_of_death, Refusal::unsynchronized, Refusal::bad_stratum, Refusal::zero_timestamp, Refusal::far_from_root,
        Refusal::bad_round_trip, Refusal::bad_processing, Refusal::before_floor, Refusal::after_ceiling})
    EXPECT_TRUE(ends(why));
}

TEST(NtpValidity, KissCodeWithoutOurOriginIsJustAWrongPacket) {
  ReplyBench bench;
  bench.server.stratum = 0;
  bench.server.refid = "DENY";
  bench.server.tamper = [](auto& r) { r[24] ^= std::byte{0x80}; };
  const auto verdict = bench.run();
  EXPECT_EQ(static_cast<int>(std::get<Rejection>(verdict).why), static_cast<int>(Refusal::wrong_origin));
  EXPECT_TRUE(std::get<Rejection>(verdict).code.empty());
}

TEST(NtpValidity, ZeroNonceIsNeverMatched) {
  ReplyBench bench;
  bench.expected.nonce = {};
  EXPECT_EQ(bench.refused(), Refusal::wrong_origin);
}

TEST(NtpValidity, FlippedBitsNeverYieldANonsenseSample) {
  const unsigned seed = 99;
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    ReplyBench bench;
    bench.server.tamper = [&](auto& r) {
      for (auto n = 1 + random() % 4; n > 0; --n) r[random() % r.size()] ^= static_cast<std::byte>(1U << random() % 8);
    };
    const auto verdict = bench.run();
    const auto* s = std::get_if<Sample>(&verdict);
    if (s == nullptr) continue;
    const auto told = bench.clock.snapshot().realtime + s->offset.value;
    ASSERT_GE(told + s->uncertainty, bench.expected.floor) << "seed " << seed << " i " << i;
    ASSERT_LE(told - s->uncertainty, bench.expected.ceiling + 5s) << "seed " << seed << " i " << i;
    ASSERT_GE(s->uncertainty, 0ns);
  }
}

}  // namespace
}  // namespace clockmend::probes::ntp
