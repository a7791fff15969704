#include "agent/os/journald.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "agent/os/notify.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

// A datagram socket in place of journald's or the service manager's.
class Collector {
 public:
  explicit Collector(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd_.reset();
  }
  std::string next() {
    char buffer[65536];
    const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return n < 0 ? "(nothing)" : std::string(buffer, static_cast<std::size_t>(n));
  }

 private:
  UniqueFd fd_;
};

TEST(JournalRecord, IsInTheNativeProtocol) {
  const LogField fields[] = {{"CLOCKMEND_OFFSET_NS", "47550000000"}, {"CLOCKMEND_WHY", "two\nlines"}};
  const std::string record = journal_record(LogPriority::info, "clockmendd", "stepped", fields);
  EXPECT_EQ(record.substr(0, record.find("CLOCKMEND_WHY")),
            "PRIORITY=6\nSYSLOG_IDENTIFIER=clockmendd\nMESSAGE=stepped\nCLOCKMEND_OFFSET_NS=47550000000\n");
  const std::string tail = record.substr(record.find("CLOCKMEND_WHY"));
  EXPECT_EQ(tail, std::string("CLOCKMEND_WHY\n\x09\0\0\0\0\0\0\0two\nlines\n", 14 + 8 + 10));
}

TEST(StderrLine, IsOneLine) {
  const LogField fields[] = {{"CLOCKMEND_WHY", "two\nlines"}};
  EXPECT_EQ(stderr_line(LogPriority::warning, "a\nb", fields), "<4>a b CLOCKMEND_WHY=two lines\n");
}

TEST(JournalSink, SendsAndFindsARestartedJournal) {
  const fakes::TempDir dir;
  const std::string path = dir.path() + "/socket";
  JournalSink sink{"clockmendd", path};
  sink.use_journal(true);
  sink.write(LogPriority::info, "nobody listens");
  EXPECT_EQ(sink.lost(), 1U);
  Collector journal{path};
  sink.write(LogPriority::info, "now somebody does");
  EXPECT_NE(journal.next().find("1 log records were lost"), std::string::npos);
  EXPECT_NE(journal.next().find("MESSAGE=now somebody does\n"), std::string::npos);
  EXPECT_EQ(journal.next(), "(nothing)");
}

TEST(JournalSink, NeverWaitsForAStuckJournal) {
  const fakes::TempDir dir;
  Collector stuck{dir.path() + "/socket"};
  JournalSink sink{"clockmendd", dir.path() + "/socket"};
  sink.use_journal(true);
  for (int i = 0; i < 5000; ++i) sink.write(LogPriority::info, "flood");
  EXPECT_GT(sink.lost(), 0U);
}

TEST(JournalSink, ACallerCannotMakeARecordHuge) {
  const std::string huge(1'000'000, 'x');
  EXPECT_LT(journal_record(LogPriority::info, "clockmendd", huge, {}).size(), 8192U);
}

TEST(Notify, SaysWhatTheManagerExpects) {
  const fakes::TempDir dir;
  Collector manager{dir.path() + "/notify"};
  ::setenv("NOTIFY_SOCKET", (dir.path() + "/notify").c_str(), 1);
  notify_ready("watching: rtc, ntp");
  notify_reloading();
  notify_status("first\nREADY=0");
  notify_stopping("bye");
  ::unsetenv("NOTIFY_SOCKET");
  notify_status("nobody asked");
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=watching: rtc, ntp");
  EXPECT_EQ(manager.next().substr(0, 27), "RELOADING=1\nMONOTONIC_USEC=");
  EXPECT_EQ(manager.next(), "STATUS=first READY=0");
  EXPECT_EQ(manager.next(), "STOPPING=1\nSTATUS=bye");
  EXPECT_EQ(manager.next(), "(nothing)");
}

}  // namespace
}  // namespace clockmend::os
