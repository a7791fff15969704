// Many guests at once: notify --all and exchange --all as the program runs them.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "agent/host/backlog.hpp"
#include "agent/host/socket_folder.hpp"
#include "agent/host/visit.hpp"
#include "agent/os/files.hpp"
#include "tests/integration/host/crowd.hpp"
#include "tests/integration/host/honest_agent.hpp"

namespace clockmend::tests {
namespace {

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
  std::string progress;

  [[nodiscard]] std::size_t lines() const { return static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')); }
};

Ran run(const host::VisitCommand& command) {
  ClientClock clock;
  Ran ran;
  os::PosixFileReader files;
  host::Backlog backlog(files, clock);
  const host::Tools tools{clock,
                          [&backlog](const std::string& path) { return backlog.holds(path); },
                          {},
                          [&ran](std::string_view text) { ran.out += text; },
                          [&ran](std::string_view text) { ran.err += text; },
                          [&ran](std::string_view text) { ran.progress += text; }};
  ran.code = host::run_visit(command, tools);
  return ran;
}

host::VisitCommand all_in(const std::string& folder) {
  host::VisitCommand command;
  command.selection.all = true;
  command.selection.directory = folder;
  command.selection.control = "";
  command.visit.options.notice.id = "n1";
  command.visit.options.notice.wait = true;
  command.visit.options.answer_deadline = core::milliseconds{300};
  return command;
}

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line))
    if (line.rfind("VmRSS:", 0) == 0) return std::stoul(line.substr(6));
  return 0;
}

std::size_t threads() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line))
    if (line.rfind("Threads:", 0) == 0) return std::stoul(line.substr(8));
  return 0;
}

TEST(Fleet, AThousandGuestsWithoutAThousandThreads) {
  const Crowd crowd(1000, HonestAgent{});
  host::VisitCommand command = all_in(crowd.folder());
  command.visit.options.answer_deadline = core::seconds{30};
  command.visit.options.deadline = core::seconds{90};
  const std::size_t before = resident_kib();
  const core::nanoseconds began = ClientClock::read(CLOCK_MONOTONIC);
  const Ran ran = run(command);
  const core::nanoseconds took = ClientClock::read(CLOCK_MONOTONIC) - began;
  std::printf("1000 guests: %.3f s, %zu KiB more than before, %zu threads with the guests' one, %zu connections at a time\n",
              std::chrono::duration<double>(took).count(), resident_kib() - std::min(before, resident_kib()), threads(), crowd.most());
  EXPECT_EQ(ran.code, 0) << ran.out.substr(0, 2000);
  EXPECT_EQ(ran.lines(), 1001U);
  EXPECT_NE(ran.out.find("1000 guests, 1000 done\n"), std::string::npos);
  EXPECT_NE(ran.progress.find("999 of 1000 guests"), std::string::npos);
  EXPECT_LT(crowd.most(), 1000U) << "how many closed ones were not noticed yet depends on the machine";
  EXPECT_LE(threads(), 2U);
}

TEST(Fleet, EachFailureIsToldAndTheCodeIsTheSharedOne) {
  const Crowd crowd(3, HonestAgent{});
  host::VisitCommand command = all_in("");
  command.selection = {};
  command.selection.control = "";
  command.selection.sockets = crowd.sockets();
  command.selection.sockets.push_back(crowd.folder() + "/nobody.sock");
  command.json = true;
  const Ran shared = run(command);
  EXPECT_EQ(shared.code, static_cast<int>(host::Verdict::no_agent));
  EXPECT_EQ(shared.lines(), 5U);
  EXPECT_NE(shared.out.find("\"verdict\":\"no-agent\",\"code\":3,\"error\":"), std::string::npos) << shared.out;

  HonestAgent refusing;
  refusing.outcome = core::Outcome::refused;
  const Crowd others(1, refusing);
  command.selection.sockets.push_back(others.sockets().front());
  const Ran mixed = run(command);
  EXPECT_EQ(mixed.code, static_cast<int>(host::Verdict::mixed));
  EXPECT_NE(mixed.out.find("{\"summary\":{\"guests\":5,\"done\":3,\"failed\":2,\"code\":7}}"), std::string::npos) << mixed.out;
}

TEST(Fleet, OneDeadlineCoversAllHoweverManyAreSilent) {
  const Crowd crowd(40, [](const std::string&) { return std::string{}; });
  host::VisitCommand command = all_in(crowd.folder());
  command.visit.parallel = 4;
  command.visit.options.answer_deadline = core::seconds{20};
  command.visit.options.deadline = core::milliseconds{700};
  const core::nanoseconds began = ClientClock::read(CLOCK_MONOTONIC);
  const Ran ran = run(command);
  EXPECT_LT(ClientClock::read(CLOCK_MONOTONIC) - began, core::seconds{10});
  EXPECT_NE(ran.code, 0);
  EXPECT_EQ(ran.lines(), 41U);
  EXPECT_LE(crowd.most(), 8U);
}

TEST(Fleet, MeasuringManySeparatesTheBadClocks) {
  HonestAgent agent;
  agent.behind = core::milliseconds{250};
  const Crowd crowd(20, agent);
  host::VisitCommand command = all_in(crowd.folder());
  command.visit.measure = true;
  EXPECT_EQ(run(command).code, 0);
  command.max_offset = core::milliseconds{100};
  const Ran ran = run(command);
  EXPECT_EQ(ran.code, static_cast<int>(host::Verdict::off));
  EXPECT_NE(ran.out.find("20 guests, 0 done, 20 not (off)"), std::string::npos) << ran.out;
}

TEST(Fleet, NoGuestsAreNoFailureAndNoFolderIs) {
  const fakes::TempDir empty;
  EXPECT_EQ(run(all_in(empty.path())).code, 0);
  const Ran gone = run(all_in(empty.path() + "/gone"));
  EXPECT_EQ(gone.code, static_cast<int>(host::Verdict::no_agent));
  EXPECT_FALSE(gone.err.empty());
}

TEST(SocketFolder, FindsWhatQemuAndLibvirtMakeAndNothingElse) {
  const Crowd crowd(2, HonestAgent{});
  ASSERT_EQ(::mkdir((crowd.folder() + "/domain-1-web").c_str(), 0755), 0);
  const FakeGuest elsewhere{HonestAgent{}};
  std::filesystem::rename(elsewhere.path(), crowd.folder() + "/domain-1-web/org.clockmend.agent.0");
  std::ofstream(crowd.folder() + "/plain.sock") << "a file";
  std::filesystem::create_symlink(crowd.sockets().front(), crowd.folder() + "/domain-1-web/other.sock");
  const auto found = host::sockets_in(crowd.folder());
  ASSERT_TRUE(found);
  EXPECT_EQ(*found,
            (std::vector<std::string>{crowd.folder() + "/domain-1-web/org.clockmend.agent.0", crowd.sockets()[0], crowd.sockets()[1]}));
}

}  // namespace
}  // namespace clockmend::tests
