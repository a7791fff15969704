// What the command finds in /run and /var: status.json and the history, whoever wrote them. Input: which, then the file.
#include "agent/wire/status.hpp"
#include "agent/cli/history_command.hpp"
#include "agent/cli/status_command.hpp"
#include "agent/cli/status_file.hpp"
#include "agent/wire/report.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace cli = clockmend::cli;
namespace core = clockmend::core;
namespace wire = clockmend::wire;
using clockmend::fuzz::must;
using clockmend::fuzz::must_be_harmless;

namespace {

class Clock final : public core::ClockReader {
 public:
  core::ClockSnapshot snapshot() override { return clock_.snapshot(); }
  core::KernelClockStatus kernel_status() override { return {}; }
  std::string clocksource() override { return "tsc"; }

 private:
  clockmend::fakes::FakeClock clock_;
};

void read_status(cli::Context& context, const std::string& text) {
  if (const auto status = wire::parse_status(text)) {
    const auto line = wire::status_line(*status);
    const auto again = wire::parse_status(line);
    must(static_cast<bool>(again), "a status survives being written", line);
    must(wire::status_line(*again) == line, "a status is written in one way", line);
  }
  cli::StatusCommand command;
  for (const bool check : {false, true}) {
    command.check = check;
    const auto out = cli::run_status(context, command);
    must_be_harmless(out.text);
    must_be_harmless(out.error);
  }
}

void read_history(cli::Context& context, const std::string& text) {
  if (const auto report = wire::parse_report(text)) {
    const auto line = wire::report_line(*report);
    const auto again = wire::parse_report(line);
    must(static_cast<bool>(again), "a report survives being written", line);
    must(wire::report_line(*again) == line, "a report is written in one way", line);
  }
  cli::HistoryCommand command;
  for (const bool full : {false, true}) {
    command.full = full;
    const auto out = cli::run_history(context, command);
    must_be_harmless(out.text);
    must_be_harmless(out.error);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  const bool history = in.byte() == 'h';
  const std::string text(in.text());
  clockmend::fakes::FakeFiles files;
  Clock clock;
  cli::Context context{files, clock, {}, nullptr};
  files.files[history ? context.paths.history() : context.paths.status()] = text;
  if (history) {
    read_history(context, text);
  } else {
    read_status(context, text);
  }
  return 0;
}
