#include "agent/os/spawn_plan.hpp"

#include <fcntl.h>

namespace clockmend::os {

SpawnPlan::SpawnPlan(int output, const sigset_t& defaults) {
  ::posix_spawn_file_actions_init(&actions_);
  ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions_, output, 1);
  ::posix_spawnattr_init(&attributes_);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes_, &none);
  ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
  ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

SpawnPlan::~SpawnPlan() {
  ::posix_spawnattr_destroy(&attributes_);
  ::posix_spawn_file_actions_destroy(&actions_);
}

void SpawnPlan::apart(int output) {
  ::posix_spawn_file_actions_adddup2(&actions_, output, 2);
  ::posix_spawn_file_actions_addchdir_np(&actions_, "/");
  ::posix_spawnattr_setpgroup(&attributes_, 0);
  ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

int SpawnPlan::run(pid_t& pid, const std::string& path, const std::vector<std::string>& argv, char* const environment[]) const {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  return ::posix_spawn(&pid, path.c_str(), &actions_, &attributes_, words.data(), environment);
}

}  // namespace clockmend::os
