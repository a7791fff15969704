// Off-path and on-path storms: what comes beside the answer, before it, after it, and instead of it.
#include <initializer_list>
#include <set>

#include "tests/integration/ntp/hostile_fixture.hpp"

namespace clockmend::tests {
namespace {

/// For the servers' threads, which must not share the client's reader.
core::RealtimePoint wall_time() { return os::LinuxClockReader{}.snapshot().realtime; }

/// A reply that lies by an hour and answers somebody else's request: `wrong` becomes the origin.
fakes::Bytes forged(const fakes::Bytes& request, core::RealtimePoint now, std::uint64_t wrong) {
  fakes::NtpServerScript lie;
  lie.error = 3600s;
  auto packet = fakes::ntp_reply(lie, request, now);
  fakes::put_be(packet, 24, wrong, 8);
  return packet;
}

fakes::Bytes kiss(const fakes::Bytes& request, core::RealtimePoint now, const std::string& code) {
  fakes::NtpServerScript script;
  script.stratum = 0;
  script.leap = 3;
  script.refid = code;
  return fakes::ntp_reply(script, request, now);
}

HostilePlan kissing(const std::string& code, unsigned copies = 1) {
  HostilePlan plan;
  plan.script.stratum = 0;
  plan.script.leap = 3;
  plan.script.refid = code;
  plan.script.copies = copies;
  return plan;
}

TEST_F(NtpHostile, FloodFromOtherPortsAndAddressesIsNeverSeen) {
  HostilePlan plan;
  plan.strangers = 200;
  EXPECT_TRUE(add(plan).has_stranger());
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, OnlyStrangersAnswer) {
  timeout = 300ms;
  HostilePlan plan;
  plan.strangers = 200;
  plan.silent = true;
  add(plan);
  measure();
  EXPECT_TRUE(readings.empty());
  EXPECT_NE(failures.at(0).why.find("no reply"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, GarbageBeforeTheReply) {
  HostilePlan plan;
  plan.garbage = 40;
  add(plan);
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, ReplaysAndFloodsAreOneAnswer) {
  HostilePlan plan;
  plan.script.copies = 100;
  auto& server = add(plan);
  measure();
  expect_no_offset(1, 1);
  EXPECT_LE(server.requests(), requests_allowed());
}

TEST_F(NtpHostile, ForgedOriginBeforeTheReply) {
  HostilePlan plan;
  plan.script.bogus = [](const fakes::Bytes& request) {
    fakes::NtpServerScript lie;
    auto packet = fakes::ntp_reply(lie, request, core::RealtimePoint{1900000000s});
    packet[25] ^= std::byte{4};
    return packet;
  };
  add(plan);
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, ForgedOriginsAtAHighRate) {
  HostilePlan plan;
  plan.before = [](const fakes::Bytes& request, unsigned) {
    const auto real = fakes::get_be(request, 40, 8);
    std::vector<fakes::Bytes> storm;
    for (unsigned bit = 0; bit < 64; ++bit) storm.push_back(forged(request, wall_time(), real ^ (std::uint64_t{1} << bit)));
    for (const std::uint64_t wrong : std::initializer_list<std::uint64_t>{0, 1, ~std::uint64_t{0}, ~real, __builtin_bswap64(real)})
      for (int i = 0; i < 10; ++i) storm.push_back(forged(request, wall_time(), wrong));
    return storm;  // short enough for the client's receive buffer, so the real reply is behind it
  };
  auto& server = add(plan);
  measure();
  expect_no_offset(1, 1);
  EXPECT_LE(server.requests(), requests_allowed());
}

TEST_F(NtpHostile, ADrowningClientTurnsItsLoopAndBelievesNothing) {
  timeout = 1s;
  HostilePlan plan;
  plan.before = [](const fakes::Bytes& request, unsigned) {
    return std::vector<fakes::Bytes>(5'000, forged(request, wall_time(), ~fakes::get_be(request, 40, 8)));
  };
  add(plan);
  unsigned turns = 0;
  core::TimerHandle tick;
  std::function<void()> turn = [&] {
    ++turns;
    tick = scheduler.after(5ms, turn);
  };
  turn();
  measure();
  EXPECT_GT(turns, 2U);  // timers were served in between
  // The real reply may have found no room in the receive buffer.
  ASSERT_EQ(readings.size() + failures.size(), 1U);
  for (const auto& r : readings) EXPECT_LE(core::magnitude(r.offset), r.uncertainty);
  for (const auto& f : failures) EXPECT_NE(f.why.find("reply"), std::string::npos) << f.why;
}

TEST_F(NtpHostile, RepliesToEarlierRequestsAreWorthNothing) {
  HostilePlan plan;
  std::vector<fakes::Bytes> earlier;
  plan.before = [&earlier](const fakes::Bytes& request, unsigned) {
    auto replays = earlier;
    earlier.push_back(forged(request, wall_time(), fakes::get_be(request, 40, 8)));
    return replays;
  };
  add(plan);
  begin();
  for (int i = 0; i < 6; ++i) ask();
  servers.clear();  // joins the thread that uses `earlier`
  EXPECT_GE(earlier.size(), 6U);
  EXPECT_EQ(readings.size(), 6U) << (failures.empty() ? "" : failures[0].why);
  for (const auto& r : readings) EXPECT_LE(core::magnitude(r.offset), r.uncertainty);
}

TEST_F(NtpHostile, KissOfDeath) {
  HostilePlan plan;
  plan.script.stratum = 0;
  plan.script.leap = 3;
  plan.script.refid = "DENY";
  add(plan);
  add();
  measure();
  expect_no_offset(1, 1);
  EXPECT_EQ(probe->servers().at(0).state, "kod: DENY");
}

TEST_F(NtpHostile, KissOfDeathStorm) {
  timeout = 1s;
  for (const std::string code : {"RATE", "DENY", "RSTR"}) {
    took = {};
    auto& server = add(kissing(code, 100));
    begin();
    const auto kissed = [&] { return probe->servers().at(0).state == "kod: " + code; };
    unsigned asked = 0;
    for (; asked < 5 && !kissed(); ++asked) ask();  // once, unless a busy machine keeps the server waiting
    EXPECT_TRUE(kissed()) << probe->servers().at(0).state;
    for (int i = 0; i < 20; ++i, ++asked) ask();
    EXPECT_TRUE(readings.empty());
    EXPECT_EQ(failures.size(), asked);
    // RATE asks for 2.1 s between requests, DENY and RSTR for a minute: never a burst, whatever comes and however often.
    EXPECT_LE(server.requests(), requests_allowed()) << code;
    forget();
  }
}

TEST_F(NtpHostile, SpoofedKissesAreIgnored) {
  HostilePlan plan;
  plan.before = [](const fakes::Bytes& request, unsigned) {
    std::vector<fakes::Bytes> storm;
    for (const auto* code : {"RATE", "DENY", "RSTR"}) {
      for (const std::uint64_t wrong : std::initializer_list<std::uint64_t>{0, 7, ~fakes::get_be(request, 40, 8)}) {
        auto packet = kiss(request, wall_time(), code);
        fakes::put_be(packet, 24, wrong, 8);
        storm.insert(storm.end(), 10, packet);
      }
    }
    return storm;
  };
  auto& server = add(plan);
  begin();
  for (int i = 0; i < 4; ++i) ask();
  EXPECT_EQ(readings.size(), 4U) << (failures.empty() ? "" : failures[0].why);  // no back-off came of it
  EXPECT_GE(server.requests(), 4U);
  EXPECT_EQ(probe->servers().at(0).state, "ok");
}

TEST_F(NtpHostile, WhatServersSayStaysShortAndPrintable) {
  timeout = 1s;
  add(kissing("\x1b[2J"));
  HostilePlan noisy;
  noisy.silent = true;
  noisy.garbage = 60;
  add(noisy);
  measure();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_LT(failures[0].why.size(), 400U);
  std::string all = failures[0].why;
  for (const auto& s : probe->servers()) all += s.state;
  for (const char c : all) EXPECT_TRUE(c >= ' ' && c <= '~') << static_cast<int>(c);
}

TEST_F(NtpHostile, QuestionsAreNotAnswered) {  // no server, no mode 6 or 7, no amplification
  timeout = 1s;
  HostilePlan plan;
  plan.silent = true;
  plan.before = [](const fakes::Bytes& request, unsigned) {
    std::vector<fakes::Bytes> questions;
    for (unsigned mode = 0; mode < 8; ++mode) {
      if (mode == 4) continue;
      for (const std::size_t length : {8U, 12U, 48U, 68U, 200U}) {
        fakes::Bytes packet(length, std::byte{0});
        packet[0] = static_cast<std::byte>(0x20U | mode);
        packet[1] = std::byte{42};  // mode 7: MON_GETLIST_1
        if (length >= 48) fakes::put_be(packet, 24, fakes::get_be(request, 40, 8), 8);
        questions.push_back(packet);
      }
    }
    return questions;
  };
  auto& server = add(plan);
  measure();
  EXPECT_TRUE(readings.empty());
  EXPECT_EQ(server.seen().size(), 2U);  // the request and its retry
}

TEST_F(NtpHostile, RequestsSayNothingButRandomBits) {
  timeout = 300ms;
  HostilePlan dead;
  dead.silent = true;
  for (int i = 0; i < 4; ++i) add(dead);
  measure();
  std::set<std::uint64_t> transmits;
  std::set<std::uint32_t> seconds;
  for (const auto& server : servers) {
    ASSERT_EQ(server->seen().size(), 2U);
    EXPECT_NE(server->seen()[0].client_port, server->seen()[1].client_port);
    for (const auto& request : server->seen()) {
      ASSERT_EQ(request.bytes.size(), 48U);
      EXPECT_EQ(fakes::get_be(request.bytes, 0, 1), 0x23U);  // version 4, client
      for (std::size_t i = 1; i < 40; ++i) EXPECT_EQ(request.bytes[i], std::byte{0}) << i;
      transmits.insert(fakes::get_be(request.bytes, 40, 8));
      seconds.insert(static_cast<std::uint32_t>(fakes::get_be(request.bytes, 40, 4)));
    }
  }
  EXPECT_EQ(transmits.size(), 8U);
  EXPECT_EQ(seconds.size(), 8U);  // a clock would show the same second again
}

TEST_F(NtpHostile, RetryComesFromAnotherPort) {
  timeout = 300ms;
  HostilePlan dead;
  dead.silent = true;
  auto& server = add(dead);
  measure();
  ASSERT_EQ(server.seen().size(), 2U);
  EXPECT_NE(server.seen()[0].client_port, server.seen()[1].client_port);
}

}  // namespace
}  // namespace clockmend::tests
