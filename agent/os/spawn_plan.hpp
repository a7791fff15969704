// How a child program is started: what it inherits of us, which is next to nothing.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace clockmend::os {

/// The child reads /dev/null, writes to `output` and has no signal blocked.
class SpawnPlan {
 public:
  /// `defaults`: signals that a child gets with their default action, whatever we do with them (posix_spawnattr_setsigdefault(3)).
  SpawnPlan(int output, const sigset_t& defaults);
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan();

  /// Its errors go to `output` too, it begins in / and leads a process group of its own.
  void apart(int output);

  /// An errno value; also of what failed in the child before and in exec. `argv` with the program's name.
  [[nodiscard]] int run(pid_t& pid, const std::string& path, const std::vector<std::string>& argv, char* const environment[]) const;

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace clockmend::os
