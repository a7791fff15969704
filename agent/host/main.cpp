// clockmend-host: arguments -> one command -> exit code.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "agent/host/backlog.hpp"
#include "agent/host/visit.hpp"
#include "agent/os/clock_reader.hpp"
#include "agent/os/files.hpp"
#include "agent/os/random.hpp"

namespace {

using namespace clockmend;

void print(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

int visit(const host::VisitCommand& command) {
  os::LinuxClockReader clock;
  os::PosixFileReader files;
  host::Backlog backlog(files, clock);
  host::Tools tools{clock,
                    [&backlog](const std::string& path) { return backlog.holds(path); },
                    [](std::string_view text) { print(stdout, text); },
                    [](std::string_view text) { print(stderr, text); },
                    {}};
  // A terminal is a character device; a log file or a pipe, where the counter would only be noise, is none.
  std::error_code ignored;
  if (std::filesystem::is_character_file("/proc/self/fd/2", ignored)) tools.progress = tools.err;
  return host::run_visit(command, tools);
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
    return visit(std::get<host::VisitCommand>(command));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clockmend-host: %s\n", e.what());
    return static_cast<int>(host::Verdict::protocol);
  }
}
