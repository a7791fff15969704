#include "agent/host/session.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <atomic>
#include <cstring>
#include <random>

#include "agent/host/exchange.hpp"
#include "tests/integration/host/client_clock.hpp"
#include "tests/integration/host/fake_guest.hpp"
#include "tests/integration/host/honest_agent.hpp"

namespace clockmend::tests {
namespace {

using host::Verdict;

host::NotifyOptions options_for(const std::string& socket) {
  host::NotifyOptions options;
  options.socket = socket;
  options.notice.id = "n1";
  options.notice.wait = true;
  options.deadline = core::seconds{20};
  options.answer_deadline = core::milliseconds{500};
  options.nonce = 4711;
  return options;
}

using Command = asio::awaitable<host::NotifyResult> (host::Session::*)();

asio::awaitable<void> run(host::Session& session, Command command, host::NotifyResult& result) { result = co_await (session.*command)(); }

host::NotifyResult visit(const host::NotifyOptions& options, Command command) {
  ClientClock clock;
  asio::io_context loop{1};
  host::Connection connection(loop, clock);
  host::Session session(connection, options, in_backlog);
  host::NotifyResult result;
  result.text = "no result";
  asio::co_spawn(loop, run(session, command, result), asio::detached);
  loop.run();
  return result;
}

host::NotifyResult notify(const host::NotifyOptions& options) { return visit(options, &host::Session::run); }
host::NotifyResult measure(const host::NotifyOptions& options) { return visit(options, &host::Session::measure); }

bool is_sync(const std::string& line) { return line.find("guest-sync-delimited") != std::string::npos; }

TEST(Session, AnHonestGuestReportsAndGetsTheQuadruples) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  const host::NotifyResult result = notify(options_for(guest.path()));
  ASSERT_EQ(result.verdict, Verdict::done) << result.text;
  ASSERT_TRUE(result.reply && result.reply->report);
  EXPECT_EQ(result.reply->report->number, 3U);
  EXPECT_EQ(result.reply->host_time, wire::HostTime::exchange);
  ASSERT_FALSE(result.rounds.empty());
  const auto best = host::best_of(result.rounds);
  EXPECT_LE(core::magnitude(host::guest_offset(*best) - core::Offset{core::seconds{20}}), host::round_trip(*best) / 2);

  const std::string last = guest.requests().back();
  const wire::ParsedRequest parsed = wire::parse_request(last);
  const auto& notice = std::get<wire::ClockNotify>(std::get<wire::Request>(parsed.request));
  EXPECT_EQ(notice.exchange, result.rounds);
  EXPECT_EQ(notice.id, "n1");
  EXPECT_TRUE(notice.sent);
}

TEST(Session, MeasuringTellsNothing) {
  HonestAgent agent;
  agent.behind = core::milliseconds{-300};
  FakeGuest guest{agent};
  guest.start();
  const host::NotifyResult result = measure(options_for(guest.path()));
  ASSERT_EQ(result.verdict, Verdict::done) << result.text;
  EXPECT_FALSE(result.reply);
  const auto best = host::best_of(result.rounds);
  ASSERT_TRUE(best);
  EXPECT_LE(core::magnitude(host::guest_offset(*best) - core::Offset{core::milliseconds{-300}}), host::round_trip(*best) / 2);
  for (const std::string& line : guest.requests()) EXPECT_TRUE(is_sync(line) || line.find("clock-exchange") != std::string::npos) << line;
}

TEST(Session, AnAgentThatCannotExchangeIsNotMeasured) {
  FakeGuest guest{[](const std::string& line) {
    if (is_sync(line)) return HonestAgent{}(line);
    return wire::error_reply(wire::ErrorClass::command_not_found, "no such command", wire::parse_request(line).id_json) + "\n";
  }};
  guest.start();
  const host::NotifyResult result = measure(options_for(guest.path()));
  EXPECT_EQ(result.verdict, Verdict::protocol);
  EXPECT_NE(result.text.find("no such command"), std::string::npos) << result.text;
}

TEST(Session, EveryOutcomeHasItsVerdict) {
  const std::pair<core::Outcome, Verdict> cases[] = {{core::Outcome::no_action, Verdict::done},
                                                     {core::Outcome::observed, Verdict::done},
                                                     {core::Outcome::refused, Verdict::refused},
                                                     {core::Outcome::failed, Verdict::failed}};
  for (const auto& [outcome, verdict] : cases) {
    FakeGuest guest{HonestAgent{.outcome = outcome}};
    guest.start();
    EXPECT_EQ(notify(options_for(guest.path())).verdict, verdict) << to_string(outcome);
  }
}

TEST(Session, WithoutExchangeAndWithoutWaiting) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  host::NotifyOptions options = options_for(guest.path());
  options.exchange = false;
  options.notice.wait = false;
  const host::NotifyResult result = notify(options);
  EXPECT_EQ(result.verdict, Verdict::done);
  EXPECT_TRUE(result.reply && !result.reply->report);
  EXPECT_EQ(guest.requests().size(), 2U) << "sync and notify only";
}

TEST(Session, WhatAnEarlierClientLeftBehindIsDropped) {
  FakeGuest guest{HonestAgent{}};
  std::string stale = "half an answer\", \"x\": 1}\n{\"return\": {\"t2\": 1, \"t3\": 2}, \"id\": \"old-1\"}\n";
  for (int i = 0; i < 200; ++i) stale += "{\"return\": 99}\n";
  guest.greet(stale + "{\"return\": {\"disposition\": \"acc");
  guest.start();
  EXPECT_EQ(notify(options_for(guest.path())).verdict, Verdict::done);
}

TEST(Session, AStaleNoticeIsRefused) {
  FakeGuest guest{HonestAgent{.report = false, .disposition = wire::Disposition::stale}};
  guest.start();
  EXPECT_EQ(notify(options_for(guest.path())).verdict, Verdict::refused);
}

TEST(Session, NoSocketAndNoListenerMeanNoAgent) {
  EXPECT_EQ(notify(options_for("/nonexistent/port.sock")).verdict, Verdict::no_agent);
  std::string path;
  {
    FakeGuest guest{HonestAgent{}};
    path = guest.path();
  }
  EXPECT_EQ(notify(options_for(path)).verdict, Verdict::no_agent);
  EXPECT_EQ(notify(options_for(std::string(200, 'x'))).verdict, Verdict::protocol);
}

TEST(Session, ASilentGuestMeansNoAgentSoonerThanTheDeadline) {
  FakeGuest guest{[](const std::string&) { return std::string{}; }};
  guest.start();
  const host::NotifyResult result = notify(options_for(guest.path()));
  EXPECT_EQ(result.verdict, Verdict::no_agent) << result.text;
}

TEST(Session, AnAgentThatStartsLateIsAskedAgain) {
  std::atomic<int> syncs{0};
  FakeGuest guest{[&syncs](const std::string& line) {
    if (is_sync(line) && ++syncs == 1) return std::string{};
    return HonestAgent{}(line);
  }};
  guest.start();
  host::NotifyOptions options = options_for(guest.path());
  options.answer_deadline = core::seconds{10};
  EXPECT_EQ(notify(options).verdict, Verdict::done);
}

TEST(Session, AReportThatDoesNotComeIsATimeout) {
  FakeGuest guest{
      [](const std::string& line) { return line.find("clock-notify") == std::string::npos ? HonestAgent{}(line) : std::string{}; }};
  guest.start();
  host::NotifyOptions options = options_for(guest.path());
  options.deadline = core::milliseconds{700};
  EXPECT_EQ(notify(options).verdict, Verdict::timeout);
}

TEST(Session, AGuestWithoutExchangeIsToldAllTheSame) {
  FakeGuest guest{[](const std::string& line) {
    if (line.find("clock-exchange") == std::string::npos) return HonestAgent{}(line);
    return wire::error_reply(wire::ErrorClass::command_not_found, "blocked", wire::parse_request(line).id_json) + "\n";
  }};
  guest.start();
  const host::NotifyResult result = notify(options_for(guest.path()));
  EXPECT_EQ(result.verdict, Verdict::done);
  EXPECT_TRUE(result.rounds.empty());
}

TEST(Session, AnotherAgentOnThePortIsAProtocolError) {
  FakeGuest guest{[](const std::string& line) {
    if (is_sync(line)) return HonestAgent{}(line);
    return wire::error_reply(wire::ErrorClass::command_not_found, "The command is unknown", wire::parse_request(line).id_json) + "\n";
  }};
  guest.start();
  const host::NotifyResult result = notify(options_for(guest.path()));
  EXPECT_EQ(result.verdict, Verdict::protocol);
  EXPECT_NE(result.text.find("The command is unknown"), std::string::npos);
}

TEST(Session, AGuestThatHangsUpMeansNoAgent) {
  FakeGuest guest{[](const std::string& line) { return is_sync(line) ? HonestAgent{}(line) : std::string{FakeGuest::kClose}; }};
  guest.start();
  host::NotifyOptions options = options_for(guest.path());
  options.exchange = false;
  EXPECT_EQ(notify(options).verdict, Verdict::no_agent);
}

// A client that connects and stays, like another hook in the middle of its notice.
class Holder {
 public:
  explicit Holder(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Holder() { ::close(fd_); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  bool connected = false;

 private:
  int fd_;
};

TEST(Session, AHeldPortIsBusyNotSilent) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  const Holder holder(guest.path());
  ASSERT_TRUE(holder.connected);
  while (in_backlog(guest.path())) ::usleep(1000);  // until the guest has accepted the holder
  host::NotifyOptions options = options_for(guest.path());
  options.deadline = core::milliseconds{1500};
  options.answer_deadline = core::milliseconds{300};
  const host::NotifyResult result = notify(options);
  EXPECT_EQ(result.verdict, Verdict::busy) << result.text;
}

TEST(Session, AFullQueueIsBusyToo) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  const Holder holder(guest.path());
  while (in_backlog(guest.path())) ::usleep(1000);
  const Holder second(guest.path());
  const Holder third(guest.path());
  host::NotifyOptions options = options_for(guest.path());
  options.deadline = core::milliseconds{300};
  const host::NotifyResult result = notify(options);
  EXPECT_EQ(result.verdict, Verdict::busy) << result.text;
}

TEST(Session, AHeldPortIsUsedAsSoonAsItIsFree) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  auto holder = std::make_unique<Holder>(guest.path());
  std::thread release([&holder] {
    ::usleep(800'000);
    holder.reset();
  });
  host::NotifyOptions options = options_for(guest.path());
  options.answer_deadline = core::milliseconds{300};
  const host::NotifyResult result = notify(options);
  release.join();
  EXPECT_EQ(result.verdict, Verdict::done) << result.text;
}

TEST(Session, AFloodEndsWithTheDeadline) {
  const std::string flood(60'000, 'x');
  FakeGuest guest{[&flood](const std::string& line) {
    std::string answer = is_sync(line) ? HonestAgent{}(line) : std::string{};
    for (int i = 0; i < 40; ++i) answer += flood + (i % 2 != 0 ? "\n" : "");
    return answer;
  }};
  guest.start();
  host::NotifyOptions options = options_for(guest.path());
  options.deadline = core::seconds{2};
  const host::NotifyResult result = notify(options);
  EXPECT_TRUE(result.verdict == Verdict::timeout || result.verdict == Verdict::protocol) << to_string(result.verdict);
}

TEST(Session, StrayAnswersAreBounded) {
  FakeGuest guest{[](const std::string& line) {
    if (is_sync(line)) return HonestAgent{}(line);
    std::string answer;
    for (int i = 0; i < 1000; ++i) answer += "{\"return\": {}, \"id\": \"someone else\"}\n";
    return answer;
  }};
  guest.start();
  EXPECT_EQ(notify(options_for(guest.path())).verdict, Verdict::protocol);
}

TEST(Session, LyingStampsNeverLeaveTheHost) {
  FakeGuest guest{[](const std::string& line) {
    if (line.find("clock-exchange") == std::string::npos) return HonestAgent{}(line);
    return wire::exchange_reply({INT64_MIN, INT64_MAX}, wire::parse_request(line).id_json) + "\n";
  }};
  guest.start();
  const host::NotifyResult result = notify(options_for(guest.path()));
  EXPECT_EQ(result.verdict, Verdict::done);
  EXPECT_TRUE(result.rounds.empty());
}

TEST(Session, RandomGarbageNeverCrashesAndAlwaysEnds) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int run = 0; run < 20; ++run) {
    FakeGuest guest{[&random](const std::string& line) {
      std::string answer = random() % 3 != 0 ? HonestAgent{}(line) : std::string(random() % 3000, 'x');
      for (unsigned i = random() % 8; i > 0 && !answer.empty(); --i) answer[random() % answer.size()] = static_cast<char>(random());
      return answer;
    }};
    guest.start();
    host::NotifyOptions options = options_for(guest.path());
    options.deadline = core::milliseconds{300};
    options.answer_deadline = core::milliseconds{100};
    static_cast<void>(notify(options));
  }
}

}  // namespace
}  // namespace clockmend::tests
