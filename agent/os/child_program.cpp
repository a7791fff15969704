#include "agent/os/child_program.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <csignal>

#include "agent/os/errors.hpp"
#include "agent/os/spawn_plan.hpp"

namespace clockmend::os {

core::Result<std::unique_ptr<ChildProgram>> ChildProgram::start(const std::string& path, const std::vector<std::string>& arguments) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, path);
  UniqueFd reading{ends[0]};
  const UniqueFd writing{ends[1]};
  pid_t pid = -1;
  sigset_t defaults;
  ::sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&defaults, signal);
  std::vector<std::string> argv{path};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const int number = SpawnPlan(writing.get(), defaults).run(pid, path, argv, environ);
  if (number != 0) return errno_error(number, path);
  return std::unique_ptr<ChildProgram>(new ChildProgram(pid, std::move(reading)));
}

ChildProgram::~ChildProgram() { end(); }

int ChildProgram::end() {
  if (pid_ <= 0) return status_;
  // Not reaped yet, so the number is still its own. One that has ended keeps its status.
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return status_;
}

std::string own_folder() {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length >= static_cast<ssize_t>(sizeof path)) return {};
  const std::string text(path, static_cast<std::size_t>(length));
  return text.substr(0, text.rfind('/'));
}

}  // namespace clockmend::os
