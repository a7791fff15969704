#pragma once

#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// The programs of one folder, in lexical order, and what was left out of it and why.
struct HookFiles {
  std::vector<std::string> programs;  // absolute paths
  std::vector<std::string> notes;
};

class HookFinder {
 public:
  virtual ~HookFinder() = default;
  /// A folder that is not there has no programs. Programs are regular executable files of root that nobody else may write to,
  /// in a folder of which the same holds.
  virtual HookFiles find(const std::string& directory) = 0;
};

class HookRunner {
 public:
  virtual ~HookRunner() = default;
  /// Without a shell, with `environment` ("NAME=value") beside what the service manager gives every program. Answers exactly once
  /// and never later than the deadline, at which the program is killed with everything it started.
  virtual void run_hook(const std::string& program, const std::vector<std::string>& environment, milliseconds deadline,
                        CommandRunner::Reply reply) = 0;
};

}  // namespace clockmend::core
