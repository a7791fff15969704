// Programs as children, and a time daemon started and stopped by init scripts: real processes, tools of our own below a folder.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <optional>

#include "agent/os/init_system.hpp"
#include "agent/os/program_runner.hpp"
#include "agent/os/scheduler.hpp"
#include "correctors/time_daemon/command_services.hpp"
#include "correctors/time_daemon/time_daemons.hpp"
#include "tests/fakes/real_loop.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;
using core::milliseconds;
using core::seconds;

bool gone(int pid) {  // an orphan that nobody reaps stays as a zombie
  std::ifstream state{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string text{std::istreambuf_iterator<char>(state), {}};
  return text.empty() || text.find(") Z ") != std::string::npos;
}

struct Programs : testing::Test {
  asio::io_context io;
  fakes::TempDir tree;
  ProgramRunner runner{io, tree.path()};

  void tool(const std::string& name, const std::string& text) const {
    tree.put(name, "#!/bin/sh\n" + text);
    std::filesystem::permissions(tree.path() + name, std::filesystem::perms{0755});
  }
  core::Result<core::CommandResult> run(const std::vector<std::string>& argv, milliseconds deadline = seconds{10}) {
    std::optional<core::Result<core::CommandResult>> result;
    runner.run(argv, deadline, [&](core::Result<core::CommandResult> r) { result = std::move(r); });
    EXPECT_FALSE(result.has_value()) << "not from inside run()";
    fakes::run_until(
        io, [&] { return result.has_value(); }, seconds{20});
    return result ? *result : core::Error{ErrorCode::io, "no answer"};
  }
};

TEST_F(Programs, WordsOutputAndExitCodeComeThrough) {
  tool("/bin/t", "printf '[%s]' \"$0\" \"$@\"; echo err >&2; pwd; exit 7\n");
  const auto result = run({"/bin/t", "two words", "$HOME;x"});
  ASSERT_TRUE(result.ok()) << result.error().text;
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->output, "[" + tree.path() + "/bin/t][two words][$HOME;x]err\n/\n");
}

TEST_F(Programs, ItsEnvironmentIsAPathAndNothingElse) {
  ::setenv("RC_SVCNAME", "clockmendd", 1);
  tool("/bin/t", "env | grep -v -E '^(PATH|PWD|SHLVL|_|OLDPWD)='; read x || echo empty\n");
  const auto result = run({"/bin/t"});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->output, "empty\n");
}

TEST_F(Programs, OutputIsBoundedAndNeverHoldsTheProgram) {
  tool("/bin/t",
       "i=0; while [ $i -lt 4000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; i=$((i + 1)); done\n");
  const auto result = run({"/bin/t"});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_EQ(result->output.size(), 4096U);
}

TEST_F(Programs, ADaemonThatKeepsTheOutputOpenIsNotWaitedFor) {
  tool("/bin/t", "setsid sleep 30 & echo $!\n");
  const auto begun = std::chrono::steady_clock::now();
  const auto result = run({"/bin/t"});
  ASSERT_TRUE(result.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds{15});
  const int pid = std::stoi(result->output);
  EXPECT_EQ(::kill(pid, 0), 0) << "it lives on";
  ::kill(pid, SIGKILL);
}

TEST_F(Programs, AtTheDeadlineTheWholeGroupEnds) {
  tool("/bin/t", "sleep 60 & echo $! > " + tree.path() + "/pid; wait\n");
  const auto result = run({"/bin/t"}, milliseconds{1500});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  const int pid = std::stoi(tree.get("/pid"));
  EXPECT_TRUE(fakes::run_until(io, [pid] { return gone(pid); }));
}

TEST_F(Programs, WhatCannotRunIsAnError) {
  tree.put("/etc/plain", "#!/bin/sh\n");
  EXPECT_EQ(run({"/bin/none"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(run({"/etc/plain"}).error().code, ErrorCode::not_permitted);
  EXPECT_EQ(run({"t"}).error().code, ErrorCode::invalid) << "no search path";
  EXPECT_EQ(run({}).error().code, ErrorCode::invalid);
  tool("/bin/t", "kill -KILL $$\n");
  EXPECT_EQ(run({"/bin/t"})->exit_code, 128 + SIGKILL);
}

TEST_F(Programs, NobodyIsAnsweredAfterTheEnd) {
  tool("/bin/t", "sleep 0.2\n");
  int answers = 0;
  {
    ProgramRunner brief{io, tree.path()};
    brief.run({"/bin/t"}, seconds{5}, [&](const core::Result<core::CommandResult>&) { ++answers; });
    brief.run({"/bin/none"}, seconds{5}, [&](const core::Result<core::CommandResult>&) { ++answers; });
  }
  fakes::run_for(io, milliseconds{500});
  EXPECT_EQ(answers, 0);
}

/// An init script as Debian's are: a pid file, start-stop-daemon's work in a few lines of shell.
constexpr const char* kScript = R"(
pidfile=ROOT/run/ntpd.pid
alive() { [ -e $pidfile ] && kill -0 $(cat $pidfile) 2> /dev/null && ! grep -q '^State:.Z' /proc/$(cat $pidfile)/status; }
case $1 in
  start) alive || { setsid sleep 300 > /dev/null 2>&1 < /dev/null & echo $! > $pidfile; } ;;
  stop) alive && kill $(cat $pidfile); while alive; do sleep 0.05; done; rm -f $pidfile ;;
  status) alive && exit 0; [ -e $pidfile ] && exit 1; exit 3 ;;
  *) exit 2 ;;
esac
)";

struct InitScripts : Programs {
  AsioScheduler scheduler{io};
  correctors::CommandServices scripts{runner, correctors::init_scripts([] { return false; })};
  correctors::TimeDaemons daemons{scripts, scheduler, {}, {nullptr, &runner}};
  correctors::TimeDaemons::Units units;

  void SetUp() override {
    std::string text = kScript;
    for (auto at = text.find("ROOT"); at != std::string::npos; at = text.find("ROOT")) text.replace(at, 4, tree.path());
    tool("/etc/init.d/ntp", text);
    tree.put("/run/x", "");
    ASSERT_EQ(run({"/etc/init.d/ntp", "start"})->exit_code, 0);
  }
  void TearDown() override { (void)run({"/etc/init.d/ntp", "stop"}); }
  int pid() const { return std::stoi(tree.get("/run/ntpd.pid")); }
  void refresh() {
    bool done = false;
    daemons.refresh([&](core::Result<correctors::TimeDaemons::Units> found) {
      ASSERT_TRUE(found.ok()) << found.error().text;
      units = *found;
      done = true;
    });
    ASSERT_TRUE(fakes::run_until(io, [&] { return done; }));
  }
  std::string stop() {
    std::string said;
    daemons.stop(units, [&](const std::vector<correctors::UnitOutcome>& outcomes) { said = outcomes.front().detail; });
    fakes::run_until(io, [&] { return !said.empty(); });
    return said;
  }
  std::string start() {
    std::string said;
    bool confirmed = false;
    daemons.start(
        units, [&](const std::vector<correctors::UnitOutcome>& outcomes) { said = outcomes.front().detail; },
        [&](const std::vector<correctors::UnitOutcome>& again) {
          EXPECT_TRUE(again.empty() || again.front().ok);
          confirmed = true;
        });
    fakes::run_until(io, [&] { return !said.empty() && confirmed; });
    return said;
  }
};

TEST_F(InitScripts, ExactlyWhatRanRunsAgain) {
  const int before = pid();
  refresh();
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(units.front().unit, "ntp.service");
  EXPECT_EQ(stop(), "stopped");
  EXPECT_FALSE(std::filesystem::exists(tree.path() + "/run/ntpd.pid"));
  EXPECT_EQ(start(), "running");
  EXPECT_NE(pid(), before);
}

TEST_F(InitScripts, OneThatDiedIsBroughtBackAndAStoppedOneIsNot) {
  refresh();
  ::kill(pid(), SIGKILL);
  ASSERT_TRUE(fakes::run_until(io, [this] { return gone(pid()); }));
  refresh();
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(stop(), "had died: failed (died)");
  EXPECT_EQ(start(), "running");
  ASSERT_EQ(run({"/etc/init.d/ntp", "stop"})->exit_code, 0);
  refresh();
  EXPECT_TRUE(units.empty());
}

TEST_F(InitScripts, OneThatTheAdministratorForbidsMeanwhileStaysStopped) {
  refresh();
  EXPECT_EQ(stop(), "stopped");
  std::filesystem::permissions(tree.path() + "/etc/init.d/ntp", std::filesystem::perms{0644});
  EXPECT_EQ(start(), "skipped: it was masked meanwhile");
  std::filesystem::permissions(tree.path() + "/etc/init.d/ntp", std::filesystem::perms{0755});
}

}  // namespace
}  // namespace clockmend::os
