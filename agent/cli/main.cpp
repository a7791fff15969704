// clockmend: arguments -> one subcommand -> exit code.
#include <cstdio>
#include <exception>

#include "agent/cli/doctor_command.hpp"
#include "agent/cli/history_command.hpp"
#include "agent/cli/options.hpp"
#include "agent/cli/resync_command.hpp"
#include "agent/cli/status_command.hpp"
#include "agent/host/control_client.hpp"
#include "agent/os/clock_reader.hpp"
#include "agent/os/files.hpp"

namespace {

using namespace clockmend;

cli::Output run(const cli::Context& context, const cli::Command& command) {
  if (const auto* status = std::get_if<cli::StatusCommand>(&command)) return cli::run_status(context, *status);
  if (const auto* resync = std::get_if<cli::ResyncCommand>(&command)) return cli::run_resync(context, *resync);
  if (const auto* history = std::get_if<cli::HistoryCommand>(&command)) return cli::run_history(context, *history);
  return cli::run_doctor(context);
}

cli::Output run(const cli::Options& options) {
  if (const auto* end = std::get_if<cli::Output>(&options.command)) return *end;
  os::PosixFileReader files(options.root);
  os::LinuxClockReader clock(options.root);
  core::Paths paths;
  paths.root = options.root;
  const auto ask = [&](const wire::Request& request, core::nanoseconds deadline) {
    return host::ask_agent(options.root + paths.control_socket(), request, deadline, clock);
  };
  return run(cli::Context{files, clock, paths, ask}, std::get<cli::Command>(options.command));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const cli::Output out = run(cli::parse_options(argc, argv));
    std::fputs(out.text.c_str(), stdout);
    std::fputs(out.error.c_str(), stderr);
    return out.code;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clockmend: %s\n", e.what());
    return cli::kUsageError;
  }
}
