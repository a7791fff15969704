#include "agent/host/options.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "agent/host/duration.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::host {
namespace {

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "clockmend-host");
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), 7);
}

TEST(HostOptions, DefaultsAreWhatAHookWants) {
  const Command command = parse({"notify", "--socket", "/run/vm.sock"});
  ASSERT_TRUE(std::holds_alternative<VisitCommand>(command));
  const NotifyOptions& n = std::get<VisitCommand>(command).visit.options;
  EXPECT_EQ(std::get<VisitCommand>(command).selection.sockets, std::vector<std::string>{"/run/vm.sock"});
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
  const VisitCommand& c = std::get<VisitCommand>(command);
  EXPECT_EQ(c.visit.options.notice.event, core::NoticeEvent::hot_upgrade);
  EXPECT_EQ(c.visit.options.notice.id, "a");
  EXPECT_EQ(c.visit.options.notice.epoch, "host2");
  EXPECT_FALSE(c.visit.options.notice.wait);
  EXPECT_FALSE(c.visit.options.exchange);
  EXPECT_EQ(c.visit.options.deadline, core::milliseconds{500});
  EXPECT_EQ(c.visit.options.notice.max_age, core::seconds{120});
  EXPECT_TRUE(c.json);
  for (const char* event : {"pausing", "resumed", "migrated", "restored", "snapshot"}) {
    const Command one = parse({"notify", "--socket=/s", "--event", event});
    ASSERT_TRUE(std::holds_alternative<VisitCommand>(one)) << event;
    EXPECT_STREQ(to_string(std::get<VisitCommand>(one).visit.options.notice.event), event);
  }
}

TEST(HostOptions, MistakesEndWithTheUsageCodeAndAReason) {
  const std::vector<std::vector<const char*>> mistakes = {{},
                                                          {"notify"},
                                                          {"frob"},
                                                          {"notify", "--socket", "/s", "--event", "set-time"},
                                                          {"notify", "--socket", "/s", "--deadline", "soon"},
                                                          {"notify", "--socket", "/s", "--deadline", "0s"},
                                                          {"notify", "--socket", "/s", "--all"},
                                                          {"notify", "--domain", "a", "--all"},
                                                          {"watch", "--socket", "/s"},
                                                          {"watch", "--parallel", "0"},
                                                          {"notify", "--all", "--directory", "/d", "--parallel", "0"},
                                                          {"notify", "--config", "/nonexistent/clockmend-host.conf", "--socket", "/s"},
                                                          {"exchange"},
                                                          {"exchange", "--socket", "/s", "--event", "resumed"},
                                                          {"exchange", "--socket", "/s", "--max-offset", "-1s"}};
  for (const auto& arguments : mistakes) {
    const Command command = parse(arguments);
    ASSERT_TRUE(std::holds_alternative<Finish>(command));
    EXPECT_EQ(std::get<Finish>(command).exit_code, kUsageError);
    EXPECT_FALSE(std::get<Finish>(command).error.empty());
  }
}

TEST(HostOptions, SeveralGuestsAndMeasuring) {
  const Command told = parse({"notify", "--socket", "/a", "--socket", "/b", "/c", "--parallel", "3"});
  ASSERT_TRUE(std::holds_alternative<VisitCommand>(told));
  const VisitCommand& several = std::get<VisitCommand>(told);
  EXPECT_EQ(several.selection.sockets, (std::vector<std::string>{"/a", "/b", "/c"}));
  EXPECT_EQ(several.visit.parallel, 3U);
  EXPECT_FALSE(several.visit.measure);
  const Command measured = parse({"exchange", "--all", "--directory", "/run/vms", "--max-offset", "100ms"});
  ASSERT_TRUE(std::holds_alternative<VisitCommand>(measured));
  const VisitCommand& exchange = std::get<VisitCommand>(measured);
  EXPECT_TRUE(exchange.visit.measure);
  EXPECT_TRUE(exchange.selection.all);
  EXPECT_EQ(exchange.selection.directory, "/run/vms");
  EXPECT_EQ(exchange.max_offset, core::milliseconds{100});
}

TEST(HostOptions, TheConfigurationFileGivesDefaults) {
  const fakes::TempDir folder;
  folder.put("/host.conf", "[notify]\ndirectory = \"/run/vms\"\nparallel = 7\n");
  const std::string file = folder.path() + "/host.conf";
  const Command told = parse({"--config", file.c_str(), "notify", "--all"});
  ASSERT_TRUE(std::holds_alternative<VisitCommand>(told)) << std::get<Finish>(told).error;
  EXPECT_EQ(std::get<VisitCommand>(told).selection.directory, "/run/vms");
  EXPECT_EQ(std::get<VisitCommand>(told).visit.parallel, 7U);
  const Command measured = parse({"--config", file.c_str(), "exchange", "--socket", "/s"});
  ASSERT_TRUE(std::holds_alternative<VisitCommand>(measured)) << std::get<Finish>(measured).error;
  EXPECT_TRUE(std::get<VisitCommand>(measured).visit.measure);
  folder.put("/wrong.conf", "[notify]\nfrobnicate = 1\n");
  const std::string wrong = folder.path() + "/wrong.conf";
  const Command refused = parse({"--config", wrong.c_str(), "notify", "--socket", "/s"});
  ASSERT_TRUE(std::holds_alternative<Finish>(refused));
  EXPECT_EQ(std::get<Finish>(refused).exit_code, kUsageError);
}

TEST(HostOptions, GuestsOfLibvirt) {
  const Command told = parse({"notify", "--domain", "web", "--domain", "db", "--connect", "qemu:///session", "--control", ""});
  ASSERT_TRUE(std::holds_alternative<VisitCommand>(told)) << std::get<Finish>(told).error;
  const Selection& named = std::get<VisitCommand>(told).selection;
  EXPECT_EQ(named.domains, (std::vector<std::string>{"web", "db"}));
  EXPECT_EQ(named.uri, "qemu:///session");
  EXPECT_TRUE(named.control.empty());
  const Command all = parse({"exchange", "--all"});
  ASSERT_TRUE(std::holds_alternative<VisitCommand>(all));
  EXPECT_TRUE(std::get<VisitCommand>(all).selection.all);
  EXPECT_EQ(std::get<VisitCommand>(all).selection.control, kControlSocket);
}

TEST(HostOptions, WatchTakesItsPlacesAndNoGuests) {
  const Command command = parse({"watch", "--metrics", "/m.prom", "--control", "/c.sock", "--parallel", "5"});
  ASSERT_TRUE(std::holds_alternative<WatchCommand>(command));
  const WatchCommand& watch = std::get<WatchCommand>(command);
  EXPECT_EQ(watch.metrics, "/m.prom");
  EXPECT_EQ(watch.control, "/c.sock");
  EXPECT_EQ(watch.parallel, 5U);
  EXPECT_EQ(watch.nonce, 7U);
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
