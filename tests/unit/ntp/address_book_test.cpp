#include "probes/ntp/address_book.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_resolver.hpp"

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;

struct AddressBookTest : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeResolver resolver{scheduler};
  AddressBook book{resolver};
  int changes = 0;

  void refresh() {
    book.refresh(2s, [this] { ++changes; });
  }
  std::vector<std::string> known(std::size_t limit = 16) {
    std::vector<std::string> out;
    for (const auto& k : book.known(limit)) out.push_back(k.endpoint.text);
    return out;
  }
};
using Texts = std::vector<std::string>;

TEST_F(AddressBookTest, NumericServersNeedNoResolver) {
  book.configure({{"192.0.2.1", 123}, {"2001:db8::1", 4123}});
  EXPECT_EQ(known(), (Texts{"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(book.known(16)[1].endpoint.port, 4123);
  refresh();
  EXPECT_TRUE(resolver.asked.empty());
  EXPECT_EQ(book.pending(), 0U);
}

TEST_F(AddressBookTest, OneNameGivesAllItsAddresses) {
  resolver.set("time.example", {"192.0.2.1", "192.0.2.2", "2001:db8::1"});
  book.configure({{"time.example", 123}});
  EXPECT_TRUE(known().empty());
  refresh();
  EXPECT_EQ(book.pending(), 1U);
  scheduler.run_for(10ms);
  EXPECT_EQ(known(), (Texts{"192.0.2.1", "192.0.2.2", "2001:db8::1"}));
  EXPECT_EQ(book.known(16)[0].name, "time.example");
  EXPECT_EQ(changes, 1);
}

TEST_F(AddressBookTest, ResolverDownKeepsTheLastGoodAddresses) {
  resolver.set("time.example", {"192.0.2.1"});
  book.configure({{"time.example", 123}});
  refresh();
  scheduler.run_for(1s);
  resolver.hang("time.example");
  refresh();
  EXPECT_EQ(known(), Texts{"192.0.2.1"});
  scheduler.run_for(3s);
  EXPECT_EQ(book.pending(), 0U);
  EXPECT_EQ(known(), Texts{"192.0.2.1"});
  EXPECT_TRUE(book.trouble().empty());
}

TEST_F(AddressBookTest, ANameWithoutAddressTellsWhy) {
  book.configure({{"nowhere.example", 123}});
  EXPECT_EQ(book.trouble(), "nowhere.example: not resolved yet");
  refresh();
  scheduler.run_for(1s);
  EXPECT_EQ(book.trouble(), "nowhere.example: no such name");
}

TEST_F(AddressBookTest, TheSameAddressCountsOnce) {
  resolver.set("a.example", {"192.0.2.1", "192.0.2.2"});
  resolver.set("b.example", {"::ffff:192.0.2.1"});
  book.configure({{"a.example", 123}, {"b.example", 123}, {"192.0.2.2", 1123}});
  refresh();
  scheduler.run_for(1s);
  EXPECT_EQ(known(), (Texts{"192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(book.duplicates(), 2U);
}

TEST_F(AddressBookTest, LimitTakesOneOfEachNameFirst) {
  resolver.set("a.example", {"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  resolver.set("b.example", {"198.51.100.1", "198.51.100.2"});
  book.configure({{"a.example", 123}, {"b.example", 123}});
  refresh();
  scheduler.run_for(1s);
  EXPECT_EQ(known(3), (Texts{"192.0.2.1", "198.51.100.1", "192.0.2.2"}));
}

TEST_F(AddressBookTest, RunningLookUpsAreJoinedAndAbandonedOnReconfiguration) {
  resolver.set("a.example", {"192.0.2.1"}, 1s);
  book.configure({{"a.example", 123}});
  refresh();
  refresh();
  EXPECT_EQ(resolver.asked.size(), 1U);
  book.configure({{"192.0.2.9", 123}});
  scheduler.run_for(3s);
  EXPECT_EQ(changes, 0);
  EXPECT_EQ(known(), Texts{"192.0.2.9"});
}

TEST_F(AddressBookTest, UnusableAddressesFromTheResolverAreDropped) {
  resolver.set("evil.example", {"0.0.0.0", "224.0.1.1", "127.127.1.1", "not-an-address", "192.0.2.1"});
  book.configure({{"evil.example", 123}});
  refresh();
  scheduler.run_for(1s);
  EXPECT_EQ(known(), Texts{"192.0.2.1"});
}

}  // namespace
}  // namespace clockmend::probes::ntp
