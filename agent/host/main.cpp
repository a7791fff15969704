// clockmend-host: arguments -> one command -> exit code.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/host/backlog.hpp"
#include "agent/host/visit.hpp"
#include "agent/host/watch/watch.hpp"
#include "agent/os/child_program.hpp"
#include "agent/os/clock_reader.hpp"
#include "agent/os/files.hpp"
#include "agent/os/notify.hpp"
#include "agent/os/random.hpp"
#include "agent/os/signals.hpp"
#include "agent/os/unix_listener.hpp"

namespace {

using namespace clockmend;

void print(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

// clockmend-host-libvirt lies beside us in a build folder, and in libexec where it is installed.
core::Result<host::Child> start_libvirt(const std::vector<std::string>& arguments) {
  const std::string folder = os::own_folder();
  std::string problem;
  for (const char* place : {"/clockmend-host-libvirt", "/../libexec/clockmend-host-libvirt"}) {
    core::Result<std::unique_ptr<os::ChildProgram>> started = os::ChildProgram::start(folder + place, arguments);
    if (started) {
      const std::shared_ptr<os::ChildProgram> child = std::move(*started);
      return host::Child{child->take_output(), [child] { return child->end(); }};
    }
    problem = started.error().text;
  }
  return core::Error{core::ErrorCode::unavailable, "the libvirt half of clockmend-host is not installed: " + problem};
}

int visit(const host::VisitCommand& command) {
  os::LinuxClockReader clock;
  os::PosixFileReader files;
  host::Backlog backlog(files, clock);
  host::Tools tools{clock,
                    [&backlog](const std::string& path) { return backlog.holds(path); },
                    start_libvirt,
                    [](std::string_view text) { print(stdout, text); },
                    [](std::string_view text) { print(stderr, text); },
                    {}};
  // A terminal is a character device; a log file or a pipe, where the counter would only be noise, is none.
  std::error_code ignored;
  if (std::filesystem::is_character_file("/proc/self/fd/2", ignored)) tools.progress = tools.err;
  return host::run_visit(command, tools);
}

int watch(const host::WatchCommand& command) {
  os::LinuxClockReader clock;
  os::PosixFileReader reader;
  os::PosixFileWriter writer;
  host::Backlog backlog(reader, clock);
  asio::io_context loop{1};
  os::UnixListener listener(loop, {command.control, 0600, 256});
  host::WatchTools tools{loop,
                         clock,
                         [&backlog](const std::string& path) { return backlog.holds(path); },
                         start_libvirt,
                         writer,
                         [](const std::string& line) { print(stderr, line + "\n"); },
                         os::notify_status};
  host::Watch watch(command, tools);
  const core::Status started = watch.start(listener);
  if (!started) {
    print(stderr, "clockmend-host: " + started.error().text + "\n");
    return static_cast<int>(host::Verdict::busy);
  }
  os::SignalWatch signals(loop, [&loop](os::ProcessSignal signal) {
    if (signal == os::ProcessSignal::terminate) loop.stop();
  });
  os::notify_ready("connecting to libvirt");
  loop.run();
  os::notify_stopping("ends");
  return 0;
}

int finish(const host::Finish& end) {
  print(stdout, end.output);
  print(stderr, end.error);
  return end.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    os::KernelRandom random;
    const host::Command command = host::parse_options(argc, argv, random.next64());
    if (const auto* end = std::get_if<host::Finish>(&command)) return finish(*end);
    if (const auto* follow = std::get_if<host::WatchCommand>(&command)) return watch(*follow);
    return visit(std::get<host::VisitCommand>(command));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clockmend-host: %s\n", e.what());
    return static_cast<int>(host::Verdict::protocol);
  }
}
