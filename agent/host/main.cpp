// clockmend-host: arguments -> one session -> exit code.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <cstdio>
#include <exception>
#include <utility>

#include "agent/host/backlog.hpp"
#include "agent/host/options.hpp"
#include "agent/host/print.hpp"
#include "agent/os/clock_reader.hpp"
#include "agent/os/files.hpp"
#include "agent/os/random.hpp"

namespace {

using namespace clockmend;

// Thousands of VMs have some ten sockets each.
constexpr std::size_t kSocketTableLimit = std::size_t{32} * 1024 * 1024;

bool in_backlog(const std::string& path) {
  os::PosixFileReader files;
  const auto table = files.read("/proc/net/unix", kSocketTableLimit);
  return table && host::waits_in_backlog(*table, path);
}

asio::awaitable<void> run(host::Session& session, host::NotifyResult& result) { result = co_await session.run(); }

int notify(const host::NotifyCommand& command) {
  os::LinuxClockReader clock;
  asio::io_context loop{1};
  host::Connection connection(loop, clock);
  host::Session session(connection, command.notify, in_backlog);
  host::NotifyResult result;
  result.text = "the session ended without a result";
  asio::co_spawn(loop, run(session, result), asio::detached);
  loop.run();
  const host::Printed printed = host::print_result(result, command.json);
  std::fputs(printed.output.c_str(), stdout);
  std::fputs(printed.error.c_str(), stderr);
  return static_cast<int>(result.verdict);
}

int finish(const host::Finish& end) {
  std::fputs(end.output.c_str(), stdout);
  std::fputs(end.error.c_str(), stderr);
  return end.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    os::KernelRandom random;
    const host::Command command = host::parse_options(argc, argv, random.next64());
    if (const auto* end = std::get_if<host::Finish>(&command)) return finish(*end);
    return notify(std::get<host::NotifyCommand>(command));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clockmend-host: %s\n", e.what());
    return static_cast<int>(host::Verdict::protocol);
  }
}
