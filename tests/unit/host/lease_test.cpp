#include "agent/host/lease.hpp"

#include <gtest/gtest.h>

namespace clockmend::host {
namespace {

std::string without_newline(std::string line) {
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  line.pop_back();
  return line;
}

TEST(Lease, QuestionsComeBackAsTheyWere) {
  const auto socket = parse_lease_ask(without_newline(lease_line(LeaseAsk{AskSocket{"/run/a b\n.sock"}})));
  ASSERT_TRUE(socket);
  EXPECT_EQ(std::get<AskSocket>(*socket).path, "/run/a b\n.sock");
  const auto domain = parse_lease_ask(without_newline(lease_line(LeaseAsk{AskDomain{"web 1"}})));
  ASSERT_TRUE(domain);
  EXPECT_EQ(std::get<AskDomain>(*domain).name, "web 1");
  EXPECT_TRUE(std::holds_alternative<AskAll>(*parse_lease_ask("all")));
  EXPECT_TRUE(std::holds_alternative<AskEnd>(*parse_lease_ask("end")));
  const auto done = parse_lease_ask(without_newline(lease_line(LeaseAsk{TellDone{"/s", 5}})));
  ASSERT_TRUE(done);
  EXPECT_EQ(std::get<TellDone>(*done).verdict, 5);
}

TEST(Lease, AnswersComeBackAsTheyWere) {
  const auto guest = parse_lease_answer(without_newline(lease_line(LeaseAnswer{LeasedGuest{"", "web", "the guest does not run"}})));
  ASSERT_TRUE(guest);
  EXPECT_EQ(std::get<LeasedGuest>(*guest).trouble, "the guest does not run");
  EXPECT_TRUE(std::get<LeasedGuest>(*guest).socket.empty());
  EXPECT_TRUE(std::holds_alternative<LeaseGo>(*parse_lease_answer("go")));
  const auto no = parse_lease_answer(without_newline(lease_line(LeaseAnswer{LeaseNo{"not now"}})));
  ASSERT_TRUE(no);
  EXPECT_EQ(std::get<LeaseNo>(*no).why, "not now");
}

TEST(Lease, NonsenseIsRefused) {
  for (const char* line : {"", "socket", "socket a b", "domain", "all a", "end of", "done /s", "done /s five", "done /s 5x", "sudo"})
    EXPECT_FALSE(parse_lease_ask(line)) << line;
  for (const char* line : {"", "guest", "guest a b", "guest a b c d", "go on", "no", "no such thing"})
    EXPECT_FALSE(parse_lease_answer(line)) << line;
}

}  // namespace
}  // namespace clockmend::host
