// How each program is called, and what its end means.
#include "correctors/backends/commands.hpp"

#include <gtest/gtest.h>

namespace clockmend::correctors {
namespace {

using core::StepBackend;
using namespace std::chrono_literals;

std::string line(StepBackend backend, const StepServers& servers, core::milliseconds deadline = 20s) {
  const auto argv = step_command(backend, servers, deadline);
  if (!argv) return "refused: " + argv.error().text;
  std::string text;
  for (const std::string& word : *argv) text += "[" + word + "]";
  return text;
}

TEST(StepCommands, EachWordIsAnArgument) {
  const StepServers two{{"192.0.2.1", "2001:db8::1"}, 123};
  const StepServers other_port{{"192.0.2.1", "fe80::1%eth0"}, 1123};
  struct Row {
    StepBackend backend;
    StepServers servers;
    const char* wanted;
  };
  const Row rows[] = {
      {StepBackend::ntpdate, two, "[/usr/sbin/ntpdate][-u][-b][-t][1][192.0.2.1][2001:db8::1]"},
      {StepBackend::ntpdig, two, "[/usr/bin/ntpdig][-S][-t][1][192.0.2.1][2001:db8::1]"},
      {StepBackend::ntpd, two, "[/usr/sbin/ntpd][-gq]"},
      {StepBackend::ntpd, {}, "[/usr/sbin/ntpd][-gq]"},
      {StepBackend::chronyd, two, "[/usr/sbin/chronyd][-q][-t][14][server 192.0.2.1 iburst][server 2001:db8::1 iburst]"},
      {StepBackend::chronyd, other_port,
       "[/usr/sbin/chronyd][-q][-t][14][server 192.0.2.1 port 1123 iburst][server fe80::1%eth0 port 1123 iburst]"},
      {StepBackend::ntpdate, {}, "refused: ntpdate: there is no server to name"},
      {StepBackend::builtin, two, "refused: the built-in step is no program"},
  };
  for (const Row& row : rows) EXPECT_EQ(line(row.backend, row.servers), row.wanted) << core::to_string(row.backend);
}

TEST(StepCommands, NothingButAnAddressGetsIn) {
  const StepServers bad{{"", "-u", "192.0.2.1 iburst\nmakestep", "a;reboot", std::string(65, '1'), "$(id)", "192.0.2.9"}, 123};
  EXPECT_EQ(line(StepBackend::ntpdate, bad), "[/usr/sbin/ntpdate][-u][-b][-t][1][192.0.2.9]");
  EXPECT_EQ(line(StepBackend::chronyd, {{"x y"}, 123}), "refused: chronyd: there is no server to name");
}

TEST(StepCommands, AtMostEightServers) {
  StepServers many;
  for (int i = 1; i <= 20; ++i) many.addresses.push_back("192.0.2." + std::to_string(i));
  EXPECT_EQ(step_command(StepBackend::ntpdig, many, 20s)->size(), 4U + 8U);
}

TEST(StepCommands, ChronydGivesUpBeforeItWouldBeEnded) {
  const StepServers one{{"192.0.2.1"}, 123};
  EXPECT_EQ((*step_command(StepBackend::chronyd, one, 10s))[3], "7");
  EXPECT_EQ((*step_command(StepBackend::chronyd, one, 1s))[3], "1");
}

TEST(HwclockCommand, TheModeIsSaid) {
  EXPECT_EQ(hwclock_command(core::RtcMode::utc, ""), (std::vector<std::string>{"/sbin/hwclock", "-w", "--utc"}));
  EXPECT_EQ(hwclock_command(core::RtcMode::local, "/dev/rtc1"),
            (std::vector<std::string>{"/sbin/hwclock", "-w", "--localtime", "-f", "/dev/rtc1"}));
}

TEST(StepPrograms, WhatTheirEndMeans) {
  using core::Error;
  using core::ErrorCode;
  struct Row {
    StepBackend backend;
    core::Result<core::CommandResult> result;
    bool ok;
    const char* words;
  };
  const Row rows[] = {
      {StepBackend::ntpdate, core::CommandResult{0, "noise\n2025-01-01 (+0100) +47.55 s1 no-leap\n"}, true,
       "ntpdate: 2025-01-01 (+0100) +47.55 s1 no-leap"},
      {StepBackend::ntpd, core::CommandResult{0, ""}, true, "ntpd"},
      {StepBackend::ntpdig, core::CommandResult{1, "ntpdig: no eligible servers\n"}, false,
       "ntpdig ended with 1 (no server was good enough, or it could not set the clock): ntpdig: no eligible servers"},
      {StepBackend::chronyd, core::CommandResult{1, "Timeout reached"}, false,
       "chronyd ended with 1 (no source was good enough in time): Timeout reached"},
      {StepBackend::ntpd, core::CommandResult{1, ""}, false, "ntpd ended with 1 (see its own log)"},
      {StepBackend::ntpdate, core::CommandResult{127, "/usr/sbin/ntpdate: 86: ntpdig: not found\n"}, false,
       "ntpdate ended with 127 (a program that it needs is missing): /usr/sbin/ntpdate: 86: ntpdig: not found"},
      {StepBackend::chronyd, core::CommandResult{3, ""}, false, "chronyd ended with 3 (unknown)"},
      {StepBackend::ntpdate, Error{ErrorCode::not_found, "x"}, false, "/usr/sbin/ntpdate cannot be run: is it installed?"},
      {StepBackend::ntpd, Error{ErrorCode::timeout, "it did not end by itself"}, false, "ntpd: it did not end by itself"},
      {StepBackend::chronyd, Error{ErrorCode::unavailable, "no bus\x1b[2J"}, false, "chronyd: no bus?[2J"},
  };
  for (const Row& row : rows) {
    const auto said = judge_step_program(row.backend, row.result);
    EXPECT_EQ(said.ok(), row.ok) << row.words;
    EXPECT_EQ(said ? *said : said.error().text, row.words);
  }
}

TEST(StepPrograms, OutputIsBoundedAndPrintable) {
  const auto said =
      judge_step_program(StepBackend::ntpd, core::CommandResult{0, "first\n\x1b]0;title\x07" + std::string(100'000, 'x') + "\r\n\n "});
  ASSERT_TRUE(said);
  EXPECT_LE(said->size(), 170U);
  EXPECT_TRUE(said->starts_with("ntpd: ?]0;title?xxx")) << *said;
  EXPECT_EQ(last_line("\n\n \t"), "");
  EXPECT_EQ(last_line("a\nb"), "b");
  EXPECT_EQ(last_line("\xc3\xa9\xff"), "???");
}

}  // namespace
}  // namespace clockmend::correctors
