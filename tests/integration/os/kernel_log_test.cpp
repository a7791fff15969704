// Records of the kernel's log: which are believed, how many at a time, and the real /dev/kmsg where it may be read.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "agent/os/kernel_log.hpp"
#include "agent/os/kernel_log_record.hpp"
#include "agent/os/unique_fd.hpp"
#include "tests/fakes/real_loop.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

TEST(KernelLogRecord, IsTheTextOfTheKernelsOwnLines) {
  EXPECT_EQ(kernel_text("6,339,5140900,-;random: crng init done\n"), "random: crng init done");
  EXPECT_EQ(kernel_text("5,1,2,-,caller=T1;text; with ; more\n SUBSYSTEM=acpi\n"), "text; with ; more");
  EXPECT_EQ(kernel_text("0,1,2,c;x"), "x");
  EXPECT_EQ(kernel_text("7,1,2,-;\n"), "");
}

TEST(KernelLogRecord, DoesNotBelieveOtherFacilities) {
  EXPECT_FALSE(kernel_text("12,340,5140901,-;random: crng reseeded due to virtual machine fork\n")) << "a process wrote it: user.warning";
  EXPECT_FALSE(kernel_text("30,340,5140901,-;systemd[1]: x\n"));
  EXPECT_FALSE(kernel_text("8,1,2,-;x\n"));
}

TEST(KernelLogRecord, AnythingElseIsNoRecord) {
  for (const char* text : {"", ";", ",", "6", "6;x", "-1,2,3,-;x", "6,1,2,-", "99999999999999999999,1,2,-;x", " 6,1,2,-;x", "x,1,2,-;y"}) {
    EXPECT_FALSE(kernel_text(text).has_value()) << text;
  }
}

/// What a series of reads returns: a text, or an errno.
struct Script {
  std::ptrdiff_t operator()(char* buffer, std::size_t size) {
    if (next.empty()) return -EAGAIN;
    const auto [text, error] = next.front();
    next.pop_front();
    if (error != 0) return -error;
    std::memcpy(buffer, text.data(), std::min(size, text.size()));
    return static_cast<std::ptrdiff_t>(std::min(size, text.size()));
  }
  std::deque<std::pair<std::string, int>> next;
};

struct PumpRig {
  PumpRig() : pump([this](char* b, std::size_t n) { return script(b, n); }) {}
  KernelLogPump::End run() {
    return pump.pump([this](std::string_view l) { lines.emplace_back(l); }, alive);
  }
  Script script;
  KernelLogPump pump;
  bool alive = true;
  std::vector<std::string> lines;
};

TEST(KernelLogPump, SkipsWhatWasOverwrittenAndCountsIt) {
  PumpRig rig;
  rig.script.next = {{"6,1,1,-;one\n", 0}, {"", EPIPE}, {"6,900,1,-;two\n", 0}, {"", EINTR}, {"", EPIPE}, {"12,9,9,-;no\n", 0}};
  EXPECT_EQ(rig.run(), KernelLogPump::End::drained);
  EXPECT_EQ(rig.lines, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(rig.pump.overruns(), 2U);
}

TEST(KernelLogPump, HasABudget) {
  PumpRig rig;
  rig.script.next.assign(1000, {"6,1,1,-;flood\n", 0});
  EXPECT_EQ(rig.run(), KernelLogPump::End::budget);
  EXPECT_EQ(rig.lines.size(), static_cast<std::size_t>(KernelLogPump::kRecordsPerPump));
  rig.script.next.assign(1000, {"", EPIPE});
  EXPECT_EQ(rig.run(), KernelLogPump::End::budget) << "overruns count too";
}

TEST(KernelLogPump, EndsWithAnError) {
  PumpRig rig;
  rig.script.next = {{"", EIO}};
  EXPECT_EQ(rig.run(), KernelLogPump::End::failed);
  EXPECT_EQ(rig.pump.error(), EIO);
  rig.script.next = {{"", 0}};
  EXPECT_EQ(rig.run(), KernelLogPump::End::failed);
  EXPECT_EQ(rig.pump.error(), 0) << "end of file";
}

/// A FIFO stands for the log: one record written is one record read.
class KmsgLogTest : public testing::Test {
 protected:
  KmsgLogTest() : path(dir.path() + "/kmsg") {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    both.reset(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    log = std::make_unique<KmsgLog>(io, path);
  }
  core::Status start() {
    return log->start([this](std::string_view l) { lines.emplace_back(l); }, [this](const core::Error& e) { ends.push_back(e.text); });
  }
  void write(const std::string& record) {
    EXPECT_EQ(::write(both.get(), record.data(), record.size()), static_cast<ssize_t>(record.size()));
  }

  fakes::TempDir dir;
  std::string path;
  asio::io_context io;
  UniqueFd both;
  std::unique_ptr<KmsgLog> log;
  std::vector<std::string> lines;
  std::vector<std::string> ends;
};

TEST_F(KmsgLogTest, TellsLinesAsTheyCome) {
  ASSERT_TRUE(start().ok());
  for (const std::string text : {"one", "two", "three"}) {
    write("12,1,1,-;not the kernel's\n");
    fakes::run_for(io, std::chrono::milliseconds{120});
    write("6,1,1,-;" + text + "\n");
    ASSERT_TRUE(fakes::run_until(io, [&] { return !lines.empty() && lines.back() == text; })) << text;
  }
  EXPECT_EQ(lines.size(), 3U);
}

TEST_F(KmsgLogTest, AFloodWakesItTenTimesASecond) {
  ASSERT_TRUE(start().ok());
  const auto begun = std::chrono::steady_clock::now();
  std::size_t wakeups = 0;
  while (std::chrono::steady_clock::now() - begun < std::chrono::milliseconds{500}) {
    write("6,1,1,-;flood\n");
    io.restart();
    wakeups += io.run_for(std::chrono::milliseconds{1});
  }
  EXPECT_LE(wakeups, 20U) << "a wait and a pause for each tenth of a second";
  EXPECT_GE(lines.size(), 2U);
}

TEST_F(KmsgLogTest, ItsCallMayDestroyIt) {
  ASSERT_TRUE(log->start([this](std::string_view) { log.reset(); }, [](const core::Error&) { ADD_FAILURE(); }).ok());
  write("6,1,1,-;x\n");
  ASSERT_TRUE(fakes::run_until(io, [&] { return !log; }));
  fakes::run_ready(io);
}

TEST_F(KmsgLogTest, SaysWhyItCannotStart) {
  KmsgLog missing{io, dir.path() + "/none"};
  EXPECT_EQ(missing.start([](std::string_view) {}, [](const core::Error&) {}).error().code, core::ErrorCode::not_found);
}

TEST(KmsgLog, TheRealLogIsReadFromItsEndOrRefusedByTheKernel) {
  asio::io_context io;
  KmsgLog log{io};
  unsigned lines = 0;
  const auto started = log.start([&](std::string_view) { ++lines; }, [](const core::Error& e) { ADD_FAILURE() << e.text; });
  if (!started) {  // a container, or dmesg_restrict without CAP_SYSLOG
    const auto code = started.error().code;
    EXPECT_TRUE(code == core::ErrorCode::not_permitted || code == core::ErrorCode::not_found) << started.error().text;
    return;
  }
  fakes::run_for(io, std::chrono::milliseconds{200});
  EXPECT_LT(lines, 100U) << "what was logged before is not told";
  EXPECT_EQ(log.overruns(), 0U);
}

}  // namespace
}  // namespace clockmend::os
