// Programs that end as the test says, after a while of virtual time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::fakes {

class FakeCommands final : public core::CommandRunner {
 public:
  explicit FakeCommands(FakeScheduler& scheduler) : scheduler_(scheduler) {}

  void run(const std::vector<std::string>& argv, core::milliseconds deadline, Reply reply) override {
    std::string line;
    for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
    log.push_back(line);
    if (on_begin) on_begin(line);
    if (takes > deadline) {
      scheduler_.post_after(deadline, [reply] { reply(core::Error{core::ErrorCode::timeout, "it did not end by itself"}); });
      return;
    }
    scheduler_.post_after(takes, [this, line, reply] {
      if (on_run) on_run(line);
      reply(result);
    });
  }

  core::Result<core::CommandResult> result = core::CommandResult{0, "200 OK\n"};
  core::nanoseconds takes{core::milliseconds{50}};
  std::function<void(const std::string& line)> on_begin;  // it runs from now on
  std::function<void(const std::string& line)> on_run;    // it ends, and does what it does then
  std::vector<std::string> log;                           // each call, its words joined by spaces

 private:
  FakeScheduler& scheduler_;
};

}  // namespace clockmend::fakes
