// The must-haves of a client that may step a clock, one by one, on the whole probe. Where the reason is a CVE it is named.
#include "tests/unit/ntp/probe_bench.hpp"

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;
using NtpMustHave = ProbeBench;

void expect_right(const std::vector<core::OffsetReading>& readings, core::Offset truth) {
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_LE(core::magnitude(readings[0].offset - truth), readings[0].uncertainty);
}

TEST_F(NtpMustHave, OriginIsOurTransmitPerRequest) {
  server(1).tamper = [](auto& r) { r[31] ^= std::byte{1}; };
  start_with({"192.0.2.1"});
  measure();
  EXPECT_TRUE(readings.empty());
  EXPECT_NE(failures.at(0).why.find("origin timestamp is not what was sent"), std::string::npos);
}

TEST_F(NtpMustHave, ZeroOriginReceiveTransmitAreRejected) {  // CVE-2015-8138, CVE-2016-7431
  for (const std::size_t field : {24U, 32U, 40U}) {
    server(static_cast<int>(field)).tamper = [field](auto& r) { fakes::put_be(r, field, 0, 8); };
    start_with({"192.0.2." + std::to_string(field)});
    measure();
  }
  EXPECT_TRUE(readings.empty());
  EXPECT_EQ(failures.size(), 3U);
}

TEST_F(NtpMustHave, AtMostOneResponsePerRequest) {
  server(1).copies = 20;
  server(1).copy_gap = 10us;
  start_with({"192.0.2.1"});
  measure();
  scheduler.run_for(4s);  // before the second look that follows a measurement
  EXPECT_EQ(readings.size(), 1U);
  EXPECT_EQ(network.sent.size(), 1U);
}

TEST_F(NtpMustHave, BogusPacketDoesNotClearTheExpectedOrigin) {  // CVE-2016-9042
  server(1).bogus = [](const fakes::Bytes&) { return fakes::Bytes(48, std::byte{0}); };
  start_with({"192.0.2.1"});
  clock.pause(40s);
  measure();
  expect_right(readings, {40s});
  EXPECT_EQ(network.sent.size(), 1U);
}

TEST_F(NtpMustHave, TransmitTimestampIs64RandomBitsAndAllElseZero) {  // CVE-2020-13817
  start_with({"192.0.2.1"});
  for (int i = 0; i < 4; ++i) {
    measure();
    clock.advance(60s);
  }
  std::set<std::uint64_t> nonces;
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  for (const auto& s : network.sent) {
    ASSERT_EQ(s.bytes.size(), 48U);
    EXPECT_EQ(s.bytes[0], std::byte{0x23});
    for (std::size_t i = 1; i < 40; ++i) EXPECT_EQ(s.bytes[i], std::byte{0});
    const auto nonce = fakes::get_be(s.bytes, 40, 8);
    nonces.insert(nonce);
    ones |= nonce;
    zeros |= ~nonce;
  }
  EXPECT_EQ(nonces.size(), 8U);
  EXPECT_GT(std::popcount(ones & zeros), 56);  // nearly every bit was seen both ways: no part of it is a time
}

TEST_F(NtpMustHave, NewSocketPerRequestConnectedToOnePeer) {
  start_with({"192.0.2.1"});
  measure();
  ASSERT_EQ(network.sent.size(), 2U);
  EXPECT_EQ(network.opened, 2U);
  EXPECT_NE(network.sent[0].socket, network.sent[1].socket);
  EXPECT_EQ(network.open_sockets(), 0U);
}

TEST_F(NtpMustHave, UnsynchronizedStratumModeVersionLengthAreRejected) {
  const std::vector<std::function<void(fakes::NtpServerScript&)>> faults = {[](auto& s) { s.leap = 3; },
                                                                            [](auto& s) { s.stratum = 16; },
                                                                            [](auto& s) { s.mode = 3; },
                                                                            [](auto& s) { s.mode = 5; },
                                                                            [](auto& s) { s.version = 1; },
                                                                            [](auto& s) { s.version = 7; },
                                                                            [](auto& s) { s.length = 47; },
                                                                            [](auto& s) {
                                                                              s.truncated = true;
                                                                              s.length = 1024;
                                                                            }};
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const int n = static_cast<int>(i) + 1;
    faults[i](server(n));
    start_with({"192.0.2." + std::to_string(n)});
    measure();
    EXPECT_TRUE(readings.empty()) << i;
  }
  EXPECT_EQ(failures.size(), faults.size());
}

TEST_F(NtpMustHave, KissOfDeathIsHonouredOnlyBehindTheOriginCheck) {  // CVE-2015-7704, CVE-2015-7705
  server(1).bogus = [](const fakes::Bytes& request) {
    fakes::NtpServerScript kiss;
    kiss.stratum = 0;
    kiss.refid = "RATE";
    auto packet = fakes::ntp_reply(kiss, request, core::RealtimePoint{1735689600s});
    packet[24] ^= std::byte{1};
    return packet;
  };
  start_with({"192.0.2.1"});
  measure();
  EXPECT_EQ(readings.size(), 1U);
  EXPECT_LT(measure(), 5ms);  // no back-off came of it
}

TEST_F(NtpMustHave, RateKissBacksOff) {
  server(1).stratum = 0;
  server(1).refid = "RATE";
  start_with({"192.0.2.1"});
  measure();
  EXPECT_EQ(probe->servers().at(0).state, "kod: RATE");
  measure();
  measure();
  ASSERT_GE(network.sent.size(), 2U);
  for (std::size_t i = 1; i < network.sent.size(); ++i)
    EXPECT_GE(network.sent[i].at.monotonic - network.sent[i - 1].at.monotonic, 2100ms * (1U << (i - 1)));
  EXPECT_TRUE(probe->servers().at(0).state.starts_with("not asked: the server wants a pause")) << probe->servers().at(0).state;
}

TEST_F(NtpMustHave, DenyAndRestrictNeverStopTheClientForEver) {  // CVE-2015-7704
  for (const auto* code : {"DENY", "RSTR"}) {
    server(1).stratum = 0;
    server(1).refid = code;
    start_with({"192.0.2.1"});
    measure();
    EXPECT_EQ(probe->servers().at(0).state, std::string("kod: ") + code);
    server(1).stratum = 2;
    scheduler.run_for(200s);
    EXPECT_GE(readings.size(), 1U);
    readings.clear();
  }
}

TEST_F(NtpMustHave, RootDistanceRoundTripAndProcessingTimeAreBounded) {
  server(1).root_dispersion = 3100ms;
  server(2).root_delay = 6100ms;
  server(3).tamper = [](auto& r) { fakes::put_be(r, 40, fakes::get_be(r, 32, 8) + (5ULL << 32U), 8); };
  settings.server_timeout = 4000ms;
  server(4).out = 3100ms;
  for (int n = 1; n <= 4; ++n) {
    start_with({"192.0.2." + std::to_string(n)});
    measure();
  }
  EXPECT_TRUE(readings.empty());
  EXPECT_EQ(failures.size(), 4U);
}

TEST_F(NtpMustHave, EraPivotIsNotTheSuspectClock) {
  const core::RealtimePoint y2040{2208988800s};
  clock = fakes::FakeClock{y2040};
  clock.step(-2208988800s);  // the guest believes it is 1970
  server(1);
  start_with({"192.0.2.1"});
  measure();
  expect_right(readings, {2208988800s});
}

TEST_F(NtpMustHave, EraPivotIsRightUpTo2100) {
  for (const auto year : {2030, 2036, 2037, 2050, 2080, 2099}) {
    const std::chrono::sys_days day{std::chrono::year{year} / 2 / 8};
    clock = fakes::FakeClock{core::RealtimePoint{day.time_since_epoch()}};
    clock.step(-100s);
    server(1);
    start_with({"192.0.2.1"});
    measure();
    expect_right(readings, {100s});
    readings.clear();
  }
}

TEST_F(NtpMustHave, TimesBeforeTheFloorAreRejected) {
  server(1).error = -400 * 86400s;
  start_with({"192.0.2.1"});
  measure();
  EXPECT_NE(failures.at(0).why.find("before the last time known to be good"), std::string::npos) << failures.at(0).why;
  probe->set_floor(core::RealtimePoint{1600000000s});
  measure();
  EXPECT_EQ(readings.size(), 1U);
}

TEST_F(NtpMustHave, RoundTripByRawSurvivesAStepInTheMiddle) {
  for (const auto amount : {-1000s, 40s, 2035372s}) {
    server(1).out = 20ms;
    start_with({"192.0.2.1"});
    probe->measure_now();
    scheduler.run_for(10ms);
    clock.step(amount);  // somebody else's: nobody tells us
    scheduler.run_for(1s);
    expect_right(readings, clock.error());
    readings.clear();
    clock.step(-amount);
    clock.advance(60s);
  }
}

TEST_F(NtpMustHave, StrictMajorityOfIntersectingServers) {
  for (int n = 1; n <= 4; ++n) server(n);
  server(2).error = -3600s;
  start_with({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"});
  clock.pause(40s);
  measure();
  expect_right(readings, {40s});
  EXPECT_EQ(readings[0].agreeing, 3U);
  EXPECT_EQ(readings[0].answered, 4U);
  server(3).error = -3600s;
  clock.advance(60s);
  measure();
  EXPECT_EQ(readings.size(), 1U);
  EXPECT_NE(failures.at(0).why.find("no majority among 4 NTP servers"), std::string::npos);
}

TEST_F(NtpMustHave, OneServerIsReportedAsOne) {
  server(1);
  start_with({"192.0.2.1"});
  measure();
  EXPECT_EQ(readings.at(0).agreeing, 1U);
  EXPECT_EQ(readings.at(0).answered, 1U);
}

TEST_F(NtpMustHave, SybilOneAddressTwiceCountsOnce) {  // CVE-2016-1549
  server(1).error = 50s;
  server(2);
  resolver.set("liar.example", {"::ffff:192.0.2.1", "192.0.2.1"});
  start_with({"192.0.2.1", "liar.example", "192.0.2.2"});
  scheduler.run_for(1s);
  measure();
  EXPECT_TRUE(readings.empty());  // one against one, not three against one
  EXPECT_NE(failures.at(0).why.find("no majority among 2"), std::string::npos) << failures.at(0).why;
}

TEST_F(NtpMustHave, SmearedAndUnsmearedServersAreNoticed) {
  const std::chrono::sys_days july{std::chrono::year{2027} / 7 / 1};
  clock = fakes::FakeClock{core::RealtimePoint{july.time_since_epoch()} - 3h};
  for (int n = 1; n <= 3; ++n) server(n);
  server(3).error = 400ms;
  settings.wanted_error = core::milliseconds{0};
  start_with({"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  measure();
  EXPECT_NE(readings.at(0).detail.find("smear"), std::string::npos) << readings.at(0).detail;
}

TEST_F(NtpMustHave, NeverAnswersAnybody) {  // no server, no mode 6 or 7, no amplification
  server(1).dead = true;
  start_with({"192.0.2.1"});
  probe->measure_now();
  const auto before = network.sent.size();
  for (int mode = 0; mode < 8; ++mode) {
    fakes::Bytes packet(48, std::byte{0});
    packet[0] = static_cast<std::byte>(0x20 | mode);
    for (int i = 0; i < 100; ++i) network.inject("192.0.2.1", packet);
  }
  EXPECT_EQ(network.sent.size(), before);
}

TEST_F(NtpMustHave, PacketsPerServerAndTimeAreBounded) {
  start_with({"192.0.2.1"});
  for (int i = 0; i < 600; ++i) {
    probe->measure_now();
    scheduler.run_for(100ms);
  }
  EXPECT_LE(network.sent.size(), 32U);
}

TEST_F(NtpMustHave, NetworkTriggeredTextIsBounded) {  // CVE-2010-0294: what strangers send must not fill a log
  server(1).dead = true;
  start_with({"192.0.2.1"});
  probe->measure_now();
  for (int i = 0; i < 10000; ++i) network.inject("192.0.2.1", fakes::Bytes(static_cast<std::size_t>(i % 90), std::byte{0xA5}));
  scheduler.run_for(5s);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_LT(failures[0].why.size(), 300U);
}

}  // namespace
}  // namespace clockmend::probes
