// Programs of an administrator in hooks.d, and how they end.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/core/ports/hooks.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::fakes {

class FakeHooks final : public core::HookFinder, public core::HookRunner {
 public:
  struct Program {
    core::nanoseconds takes{core::milliseconds{20}};
    core::Result<core::CommandResult> result = core::CommandResult{0, ""};
  };

  explicit FakeHooks(FakeScheduler& scheduler) : scheduler_(scheduler) {}

  core::HookFiles find(const std::string& directory) override {
    ++looked;
    return folders[directory];
  }
  void run_hook(const std::string& program, const std::vector<std::string>& environment, core::milliseconds deadline,
                core::CommandRunner::Reply reply) override {
    log.push_back(program);
    environments.push_back(environment);
    began.push_back(scheduler_.now());
    const Program p = programs.contains(program) ? programs[program] : Program{};
    if (p.takes > deadline)
      return scheduler_.post_after(deadline, [reply] { reply(core::Error{core::ErrorCode::timeout, "it did not end by itself"}); });
    scheduler_.post_after(p.takes, [reply, result = p.result] { reply(result); });
  }

  std::map<std::string, core::HookFiles> folders;
  std::map<std::string, Program> programs;
  int looked = 0;
  std::vector<std::string> log;  // programs in the order in which they were started
  std::vector<std::vector<std::string>> environments;
  std::vector<core::MonotonicPoint> began;

 private:
  FakeScheduler& scheduler_;
};

}  // namespace clockmend::fakes
