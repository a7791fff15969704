#include "tests/fakes/private_bus.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace clockmend::fakes {
namespace {

constexpr int kStartMilliseconds = 10'000;

std::string configuration(const std::string& socket) {
  return "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
         " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
         "<busconfig><type>session</type><listen>unix:path=" +
         socket +
         "</listen><auth>EXTERNAL</auth>\n"
         "<policy context=\"default\"><allow send_destination=\"*\"/><allow eavesdrop=\"false\"/><allow own=\"*\"/></policy>\n"
         "</busconfig>\n";
}

[[noreturn]] void become_daemon(const std::string& config, int ready_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log = ::open((config + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);  // it complains about limits as root
  if (log >= 0) ::dup2(log, STDERR_FILENO);
  const std::string file = "--config-file=" + config;
  const std::string ready = "--print-address=" + std::to_string(ready_fd);
  ::fcntl(ready_fd, F_SETFD, 0);
  ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", file.c_str(), ready.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

PrivateBus::PrivateBus() { start(); }

void PrivateBus::start() {
  std::filesystem::remove(dir_.path() + "/bus");
  dir_.put("/bus.conf", configuration(dir_.path() + "/bus"));
  int ready[2] = {-1, -1};
  if (::pipe2(ready, O_CLOEXEC) != 0) return;
  pid_ = ::fork();
  if (pid_ == 0) become_daemon(dir_.path() + "/bus.conf", ready[1]);
  ::close(ready[1]);
  pollfd wait{ready[0], POLLIN, 0};
  char line[512];
  // It prints its address once it listens; end of file means that it could not start.
  const bool up = pid_ > 0 && ::poll(&wait, 1, kStartMilliseconds) == 1 && ::read(ready[0], line, sizeof line) > 0;
  ::close(ready[0]);
  if (!up) kill();
}

void PrivateBus::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace clockmend::fakes
