#include "agent/host/options.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "agent/host/duration.hpp"

namespace clockmend::host {
namespace {

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "clockmend-host");
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), 7);
}

TEST(HostOptions, DefaultsAreWhatAHookWants) {
  const Command command = parse({"notify", "--socket", "/run/vm.sock"});
  ASSERT_TRUE(std::holds_alternative<NotifyCommand>(command));
  const NotifyOptions& n = std::get<NotifyCommand>(command).notify;
  EXPECT_EQ(n.socket, "/run/vm.sock");
  EXPECT_EQ(n.notice.event, core::NoticeEvent::resumed);
  EXPECT_TRUE(n.notice.wait);
  EXPECT_TRUE(n.exchange);
  EXPECT_EQ(n.deadline, core::seconds{30});
  EXPECT_FALSE(n.notice.id.empty()) << "without an id the agent cannot drop repeats";
  EXPECT_FALSE(n.notice.max_age);
}

TEST(HostOptions, EveryEventAndSwitchArrives) {
  const Command command = parse({"notify", "--socket=/s", "--event", "hot-upgrade", "--id", "a", "--epoch", "host2", "--no-exchange",
                                 "--no-wait", "--deadline", "500ms", "--max-age=2m", "--json"});
  const NotifyCommand& c = std::get<NotifyCommand>(command);
  EXPECT_EQ(c.notify.notice.event, core::NoticeEvent::hot_upgrade);
  EXPECT_EQ(c.notify.notice.id, "a");
  EXPECT_EQ(c.notify.notice.epoch, "host2");
  EXPECT_FALSE(c.notify.notice.wait);
  EXPECT_FALSE(c.notify.exchange);
  EXPECT_EQ(c.notify.deadline, core::milliseconds{500});
  EXPECT_EQ(c.notify.notice.max_age, core::seconds{120});
  EXPECT_TRUE(c.json);
  for (const char* event : {"pausing", "resumed", "migrated", "restored", "snapshot"}) {
    const Command one = parse({"notify", "--socket=/s", "--event", event});
    ASSERT_TRUE(std::holds_alternative<NotifyCommand>(one)) << event;
    EXPECT_STREQ(to_string(std::get<NotifyCommand>(one).notify.notice.event), event);
  }
}

TEST(HostOptions, MistakesEndWithTheUsageCodeAndAReason) {
  const std::vector<std::vector<const char*>> mistakes = {{},
                                                          {"notify"},
                                                          {"frob"},
                                                          {"notify", "--socket", "/s", "--event", "set-time"},
                                                          {"notify", "--socket", "/s", "--deadline", "soon"},
                                                          {"notify", "--socket", "/s", "--deadline", "0s"},
                                                          {"notify", "--socket", "/s", "extra"}};
  for (const auto& arguments : mistakes) {
    const Command command = parse(arguments);
    ASSERT_TRUE(std::holds_alternative<Finish>(command));
    EXPECT_EQ(std::get<Finish>(command).exit_code, kUsageError);
    EXPECT_FALSE(std::get<Finish>(command).error.empty());
  }
}

TEST(HostOptions, HelpTellsTheExitCodes) {
  const Command command = parse({"notify", "--help"});
  ASSERT_TRUE(std::holds_alternative<Finish>(command));
  EXPECT_EQ(std::get<Finish>(command).exit_code, 0);
  EXPECT_NE(std::get<Finish>(command).output.find("Exit codes:"), std::string::npos);
}

TEST(Duration, TakesUnitsAndRefusesTheRest) {
  EXPECT_EQ(*parse_duration("500ms"), core::milliseconds{500});
  EXPECT_EQ(*parse_duration("30s"), core::seconds{30});
  EXPECT_EQ(*parse_duration("30"), core::seconds{30});
  EXPECT_EQ(*parse_duration("60m"), core::seconds{3600});
  for (const char* text : {"", "s", "-1s", "1.5s", "61m", "3601s", "10h", "99999999999999999999s", " 1s", "1 s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

}  // namespace
}  // namespace clockmend::host
