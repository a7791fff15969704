// `clockmend-host watch` against fake guests: libvirt's half is a pipe that the test writes to.
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "agent/host/visit.hpp"
#include "agent/host/watch/watch.hpp"
#include "agent/os/files.hpp"
#include "agent/os/unix_listener.hpp"
#include "tests/fakes/temp_dir.hpp"
#include "tests/integration/host/fake_guest.hpp"
#include "tests/integration/host/honest_agent.hpp"

namespace clockmend::tests {
namespace {

using host::Domain;
using host::LifeEvent;

constexpr int kUnpaused = static_cast<int>(host::ResumedDetail::unpaused);

class WatchTest : public testing::Test {
 protected:
  WatchTest() : listener_(loop_, {control(), 0600, 8}) {
    command_.control = control();
    command_.metrics = folder_.path() + "/metrics.prom";
    command_.nonce = 1000;
  }

  ~WatchTest() override {
    for (const int fd : feeds_) ::close(fd);
  }

  std::string control() const { return folder_.path() + "/control.sock"; }

  void start() {
    host::WatchTools tools{loop_,
                           clock_,
                           in_backlog,
                           [this](const std::vector<std::string>& arguments) { return connect(arguments); },
                           files_,
                           [this](const std::string& line) { log_ += line + "\n"; },
                           [](const std::string&) {}};
    watch_ = std::make_unique<host::Watch>(command_, tools);
    const core::Status started = watch_->start(listener_);
    ASSERT_TRUE(started) << started.error().text;
  }

  core::Result<host::Child> connect(const std::vector<std::string>& arguments) {
    EXPECT_EQ(arguments[0], "follow");
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    feeds_.push_back(ends[1]);
    ++connections_;
    return host::Child{ends[0], [] { return 1; }};
  }

  void say(const host::Feed& feed) const {
    const std::string line = host::feed_line(feed) + "\n";
    EXPECT_EQ(::write(feeds_.back(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }

  void hang_up() {
    ::close(feeds_.back());
    feeds_.pop_back();
  }

  bool until(const std::function<bool()>& holds) {
    const core::nanoseconds end = ClientClock::read(CLOCK_MONOTONIC) + core::seconds{20};
    while (!holds() && ClientClock::read(CLOCK_MONOTONIC) < end) {
      loop_.restart();
      loop_.run_for(core::milliseconds{5});
    }
    return holds();
  }

  bool logged(const std::string& words) {
    return until([&] { return log_.find(words) != std::string::npos; });
  }

  std::string metrics() const {
    std::ifstream file(command_.metrics);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  bool counted(const std::string& sample) {
    return until([&] { return metrics().find("clockmend_host_" + sample + "\n") != std::string::npos; });
  }

  fakes::TempDir folder_;
  asio::io_context loop_{1};
  ClientClock clock_;
  os::PosixFileWriter files_;
  os::UnixListener listener_;
  host::WatchCommand command_;
  std::unique_ptr<host::Watch> watch_;
  std::vector<int> feeds_;
  int connections_ = 0;
  std::string log_;
};

std::size_t notices_in(const FakeGuest& guest, const std::string& words) {
  std::size_t count = 0;
  for (const std::string& line : guest.requests())
    count += line.find("clock-notify") != std::string::npos && line.find(words) != std::string::npos;
  return count;
}

TEST_F(WatchTest, AResumeIsToldAndItsReportRead) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  start();
  ASSERT_TRUE(until([this] { return connections_ == 1; }));
  const Domain web{"u1", "web", guest.path(), true, true};
  say(web);
  say(host::Listed{});
  ASSERT_TRUE(logged("connected to libvirt: 1 guests"));
  EXPECT_EQ(notices_in(guest, ""), 0U) << "the first list is no event";
  say(host::Lifecycle{{"u1", "web", guest.path(), true, false}, static_cast<int>(LifeEvent::suspended), 0});
  say(host::Lifecycle{web, static_cast<int>(LifeEvent::resumed), kUnpaused});
  ASSERT_TRUE(logged("web: told resumed")) << log_;
  EXPECT_EQ(notices_in(guest, "\"resumed\""), 1U);
  EXPECT_EQ(notices_in(guest, "\"wait\":true"), 0U) << "it must not stay in the port";
  EXPECT_TRUE(counted("reports_total{outcome=\"corrected\"} 1")) << metrics() << log_;
  EXPECT_TRUE(counted("notices_total{result=\"done\"} 1"));
  EXPECT_TRUE(counted("libvirt_events_total 2"));
}

TEST_F(WatchTest, AGuestThatDoesNotListenIsToldLater) {
  start();
  ASSERT_TRUE(until([this] { return connections_ == 1; }));
  FakeGuest guest{HonestAgent{}};
  const Domain web{"u1", "web", folder_.path() + "/later.sock", true, true};
  say(web);
  say(host::Listed{});
  say(host::Lifecycle{web, static_cast<int>(LifeEvent::started), static_cast<int>(host::StartedDetail::migrated)});
  ASSERT_TRUE(logged("web: not told: no-agent"));
  ASSERT_EQ(::symlink(guest.path().c_str(), web.socket.c_str()), 0);
  guest.start();
  EXPECT_TRUE(logged("web: told migrated")) << log_;
  EXPECT_EQ(notices_in(guest, "\"migrated\""), 1U);
}

TEST_F(WatchTest, AfterLibvirtWasAwayEveryGuestIsTold) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  start();
  ASSERT_TRUE(until([this] { return connections_ == 1; }));
  say(Domain{"u1", "web", guest.path(), true, true});
  say(Domain{"u2", "gone meanwhile", "/nowhere", true, true});
  say(host::Listed{});
  ASSERT_TRUE(logged("2 guests run"));
  hang_up();
  ASSERT_TRUE(logged("no connection to libvirt"));
  EXPECT_TRUE(counted("libvirt_connected 0"));
  ASSERT_TRUE(until([this] { return connections_ == 2; }));
  say(Domain{"u1", "web", guest.path(), true, true});
  say(host::Listed{});
  EXPECT_TRUE(logged("1 guests run"));
  EXPECT_TRUE(logged("web: told resumed")) << log_;
  EXPECT_TRUE(counted("libvirt_connected 1"));
}

TEST_F(WatchTest, NonsenseFromTheHelperIsALostConnection) {
  start();
  ASSERT_TRUE(until([this] { return connections_ == 1; }));
  ASSERT_EQ(::write(feeds_.back(), "frob\n", 5), 5);
  EXPECT_TRUE(logged("no connection to libvirt: not a line"));
  EXPECT_TRUE(until([this] { return connections_ == 2; }));
}

// What notify prints and its code, run beside the loop of watch.
struct Visited {
  int code = -1;
  std::string out;
};

Visited visit(const std::string& control, host::Selection selection) {
  ClientClock clock;
  Visited visited;
  host::VisitCommand command;
  command.selection = std::move(selection);
  command.selection.control = control;
  command.visit.options.notice.id = "hook";
  command.visit.options.notice.wait = true;
  command.visit.options.deadline = core::seconds{10};
  const host::Tools tools{clock,
                          in_backlog,
                          [](const std::vector<std::string>&) -> core::Result<host::Child> {
                            return core::Error{core::ErrorCode::unavailable, "libvirt must not be asked"};
                          },
                          [&visited](std::string_view text) { visited.out += text; },
                          [&visited](std::string_view text) { visited.out += text; },
                          {}};
  visited.code = host::run_visit(command, tools);
  return visited;
}

TEST_F(WatchTest, AHookLearnsTheSocketFromItAndNeedsNoLibvirt) {
  FakeGuest guest{HonestAgent{}};
  guest.start();
  start();
  ASSERT_TRUE(until([this] { return connections_ == 1; }));
  say(Domain{"u1", "web", guest.path(), true, true});
  say(Domain{"u2", "idle", "", true, true});
  say(host::Listed{});
  ASSERT_TRUE(logged("2 guests run"));
  Visited named;
  Visited all;
  Visited unknown;
  bool ended = false;
  std::thread hook([&] {
    named = visit(control(), {{}, {"web"}, false, "", "", ""});
    all = visit(control(), {{}, {}, true, "", "", ""});
    unknown = visit(control(), {{}, {"nobody"}, false, "", "", ""});
    asio::post(loop_, [&ended] { ended = true; });
  });
  EXPECT_TRUE(until([&ended] { return ended; }));
  hook.join();
  EXPECT_EQ(named.code, 0) << named.out;
  EXPECT_EQ(all.code, 0) << all.out;
  EXPECT_NE(all.out.find("1 guest, 1 done"), std::string::npos) << all.out;
  EXPECT_EQ(unknown.code, static_cast<int>(host::Verdict::no_agent)) << unknown.out;
}

TEST_F(WatchTest, WhileTheListIsUnknownTheHookHelpsItself) {
  start();
  ASSERT_TRUE(until([this] { return connections_ == 1; }));
  Visited named;
  bool ended = false;
  std::thread hook([&] {
    named = visit(control(), {{}, {"web"}, false, "", "", ""});
    asio::post(loop_, [&ended] { ended = true; });
  });
  EXPECT_TRUE(until([&ended] { return ended; }));
  hook.join();
  EXPECT_EQ(named.code, static_cast<int>(host::Verdict::no_libvirt));
  EXPECT_NE(named.out.find("libvirt must not be asked"), std::string::npos) << "it asked libvirt itself";
}

}  // namespace
}  // namespace clockmend::tests
