// The resolver against a name server of the test's own.
#include "agent/os/resolver_cares.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/fakes/real_loop.hpp"
#include "tests/fakes/temp_dir.hpp"
#include "tests/fakes/tiny_dns.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;
using core::milliseconds;
using core::seconds;
using Answer = core::Result<std::vector<std::string>>;
using Texts = std::vector<std::string>;

struct Dns : testing::Test {
  asio::io_context io;
  fakes::TinyDns server{io};
  fakes::TempDir dir;
  std::optional<Answer> answer;
  int answers = 0;
  std::unique_ptr<core::Lookup> lookup;

  // Without search domains and options of the machine that runs the test.
  ResolverPlace place() {
    dir.put("/resolv.conf", "options ndots:1\n");
    return {dir.path() + "/resolv.conf", server.address()};
  }
  void ask(CaresResolver& resolver, const std::string& name, milliseconds deadline = seconds{5}) {
    answer.reset();
    lookup = resolver.resolve(name, deadline, [this](Answer a) {
      answer = std::move(a);
      ++answers;
    });
    EXPECT_FALSE(answer.has_value()) << "not from inside resolve()";
  }
  bool until_answered() {
    return fakes::run_until(io, [this] { return answer.has_value(); });
  }
};

TEST_F(Dns, NumericNamesNeedNoNetwork) {
  CaresResolver resolver{io, place()};
  for (const char* name : {"192.0.2.7", "2001:db8::7", "fe80::1%lo"}) {
    ask(resolver, name);
    ASSERT_TRUE(until_answered());
    ASSERT_TRUE(answer->ok()) << name;
    EXPECT_EQ(**answer, Texts{name});
  }
  EXPECT_EQ(server.queries, 0U);
}

TEST_F(Dns, LocalhostComesFromTheHostsFile) {
  CaresResolver resolver{io, place()};
  ask(resolver, "localhost");
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  for (const std::string& text : **answer) EXPECT_TRUE(text == "127.0.0.1" || text == "::1") << text;
  EXPECT_EQ(server.queries, 0U);
}

TEST_F(Dns, ANameGivesAllItsAddressesOfBothFamilies) {
  server.names["time.corp.example"] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
  CaresResolver resolver{io, place()};
  ask(resolver, "time.corp.example");
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  Texts texts = **answer;
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (Texts{"192.0.2.1", "192.0.2.2", "2001:db8::1"}));
}

TEST_F(Dns, AFamilyWithoutRecordsDoesNotMatter) {
  server.names["v4.example"] = {"192.0.2.1"};
  server.names["v6.example"] = {"2001:db8::1"};
  CaresResolver resolver{io, place()};
  ask(resolver, "v4.example");
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(**answer, Texts{"192.0.2.1"});
  ask(resolver, "v6.example");
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(**answer, Texts{"2001:db8::1"});
}

TEST_F(Dns, AtMostSixteenAddresses) {
  for (int i = 1; i <= 40; ++i) server.names["many.example"].push_back("192.0.2." + std::to_string(i));
  CaresResolver resolver{io, place()};
  ask(resolver, "many.example");
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ((**answer).size(), 16U);
}

TEST_F(Dns, AnUnknownNameIsNotFound) {
  CaresResolver resolver{io, place()};
  ask(resolver, "no-such-host.example");
  ASSERT_TRUE(until_answered());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::not_found);
  EXPECT_NE(answer->error().text.find("no-such-host.example"), std::string::npos);
}

TEST_F(Dns, AServerInTroubleIsUnavailable) {
  server.rcode = 2;  // SERVFAIL
  CaresResolver resolver{io, place()};
  ask(resolver, "time.corp.example");
  ASSERT_TRUE(until_answered());
  ASSERT_FALSE(answer->ok());
  EXPECT_NE(answer->error().code, ErrorCode::not_found) << answer->error().text;
}

TEST_F(Dns, ASilentServerEndsAtTheDeadline) {
  server.silent = true;
  CaresResolver resolver{io, place()};
  const auto begin = std::chrono::steady_clock::now();
  ask(resolver, "time.corp.example", milliseconds{300});
  ASSERT_TRUE(until_answered());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds{300});
}

TEST_F(Dns, ADeadServerEndsAtTheDeadlineAtTheLatest) {
  CaresResolver resolver{io, {place().resolv_conf, "127.0.0.1:9"}};  // nobody listens on the discard port
  ask(resolver, "time.corp.example", milliseconds{500});
  ASSERT_TRUE(until_answered());
  EXPECT_FALSE(answer->ok());
}

TEST_F(Dns, TheSecondServerIsAskedWhenTheFirstIsSilent) {
  fakes::TinyDns second{io};
  second.names["time.corp.example"] = {"192.0.2.9"};
  server.silent = true;
  CaresResolver resolver{io, {place().resolv_conf, server.address() + "," + second.address()}};
  ask(resolver, "time.corp.example", seconds{8});
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ(**answer, Texts{"192.0.2.9"});
}

TEST_F(Dns, AbandoningMakesNoCallAndLeavesNothingToWaitFor) {
  server.silent = true;
  CaresResolver resolver{io, place()};
  ask(resolver, "time.corp.example", seconds{60});
  fakes::run_for(io, milliseconds{20});
  lookup.reset();
  fakes::run_for(io, milliseconds{50});
  EXPECT_EQ(answers, 0);
}

TEST_F(Dns, TheCallMayDestroyTheLookup) {
  server.names["a.example"] = {"192.0.2.1"};
  CaresResolver resolver{io, place()};
  bool done = false;
  lookup = resolver.resolve("a.example", seconds{5}, [&](Answer) {
    lookup.reset();
    done = true;
  });
  EXPECT_TRUE(fakes::run_until(io, [&] { return done; }));
}

TEST_F(Dns, NonsenseIsRefused) {
  CaresResolver resolver{io, place()};
  for (const std::string& name : {std::string{}, std::string(300, 'a'), std::string("a\0b", 3)}) {
    ask(resolver, name);
    ASSERT_TRUE(until_answered());
    ASSERT_FALSE(answer->ok());
    EXPECT_EQ(answer->error().code, ErrorCode::invalid);
  }
  ask(resolver, "a..b");
  ASSERT_TRUE(until_answered());
  EXPECT_FALSE(answer->ok());
}

}  // namespace
}  // namespace clockmend::os
