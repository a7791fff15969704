// The NTP probe over real sockets: honest servers, servers that are alone, and servers that disagree.
#include "tests/integration/ntp/hostile_fixture.hpp"

namespace clockmend::tests {
namespace {

TEST_F(NtpHostile, HonestServerOverIpv4) {
  auto& server = add();
  measure();
  expect_no_offset(1, 1);
  EXPECT_LE(server.requests(), requests_allowed());
}

TEST_F(NtpHostile, OneLiarOfFour) {
  HostilePlan liar;
  liar.script.error = 3600s;
  add(liar);
  for (int i = 0; i < 3; ++i) add();
  measure();
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].agreeing, 3U);
  EXPECT_LE(core::magnitude(readings[0].offset), readings[0].uncertainty);
}

TEST_F(NtpHostile, TwoLiarsOfFourAreNotOutvoted) {
  HostilePlan liar;
  liar.script.error = 3600s;
  for (int i = 0; i < 2; ++i) add(liar);
  for (int i = 0; i < 2; ++i) add();
  measure();
  EXPECT_TRUE(readings.empty());
  EXPECT_NE(failures.at(0).why.find("no majority among 4 NTP servers"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, OneAddressTwiceIsOneServer) {
  HostilePlan liar;
  liar.script.error = 50s;
  add(liar);
  add();
  addresses.push_back("::ffff:" + addresses[0]);
  measure();
  EXPECT_TRUE(readings.empty());  // one against one, not two against one
  EXPECT_NE(failures.at(0).why.find("no majority among 2 NTP servers"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, OneThatSmearsIsLeftOut) {
  HostilePlan smears;
  smears.script.error = 400ms;
  add(smears);
  add();
  add();
  measure();
  ASSERT_EQ(readings.size(), 1U) << (failures.empty() ? "" : failures[0].why);
  EXPECT_LE(core::magnitude(readings[0].offset), readings[0].uncertainty);
}

TEST_F(NtpHostile, LeapSecondOfOneIsNotRemarked) {
  HostilePlan leap;
  leap.script.leap = 1;
  add(leap);
  add();
  add();
  measure();
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].detail.find("leap second"), std::string::npos) << readings[0].detail;
}

TEST_F(NtpHostile, TwoThatDisagree) {
  HostilePlan liar;
  liar.script.error = -3600s;
  add(liar);
  add();
  measure();
  EXPECT_TRUE(readings.empty());
  EXPECT_NE(failures.at(0).why.find("no majority among 2 NTP servers"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, FourHonestAndThreeDeadDoNotWaitForTheDead) {
  for (int i = 0; i < 4; ++i) add();
  HostilePlan dead;
  dead.silent = true;
  for (int i = 0; i < 3; ++i) add(dead);
  measure();
  expect_no_offset(4, 4);
  for (std::size_t i = 4; i < 7; ++i) EXPECT_LE(servers[i]->requests(), requests_allowed());  // the round was over before any retry
}

}  // namespace
}  // namespace clockmend::tests
