#include "agent/cli/options.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

#include "agent/host/duration.hpp"

namespace clockmend::cli {

namespace {

constexpr const char* kDescription = "Asks and tells the clockmend agent, which repairs the clock of a virtual machine that was frozen.";

constexpr const char* kFooter =
    "Examples:\n"
    "  clockmend status            is the clock right, and how does the agent know?\n"
    "  clockmend status --check    the same for scripts, as an exit code\n"
    "  clockmend doctor            what is missing here, with advice; works without the agent too\n"
    "  clockmend resync --dry-run  measure now and say what would be done\n\n"
    "See clockmend(1).";

constexpr const char* kStatusCodes =
    "Exit codes with --check: 0 synchronized, 1 being measured or corrected (starting, suspect, correcting, verifying),\n"
    "2 degraded or refused, 3 no agent or a status too old to be believed. Without --check: 0, or 3 without a status.";

constexpr const char* kResyncCodes =
    "Exit codes: 0 corrected or nothing to do, 1 refused by a guard, 2 failed, 3 no agent, 4 no report in time,\n"
    "6 protocol error.";

constexpr const char* kDoctorCodes = "Exit codes: 0 all well, 1 warnings, 2 failures.";

std::string check_duration(const std::string& text) {
  const auto parsed = host::parse_duration(text);
  return parsed ? std::string{} : parsed.error().text;
}

// One member per subcommand; which one was given is known after parsing.
struct Parsed {
  StatusCommand status;
  ResyncCommand resync;
  HistoryCommand history;
  std::string deadline = "60s";
  std::string backend;
};

std::optional<core::StepBackend> backend_named(const std::string& name) {
  for (const auto backend : {core::StepBackend::builtin, core::StepBackend::ntpdate, core::StepBackend::ntpd, core::StepBackend::ntpdig,
                             core::StepBackend::chronyd})
    if (name == core::to_string(backend)) return backend;
  return std::nullopt;
}

void add_status(CLI::App& app, Parsed& p) {
  CLI::App& sub = *app.add_subcommand("status", "Say whether the clock is right, and what the agent sees");
  auto* json = sub.add_flag("--json", p.status.json, "Print the status document (clockmend-status(5))");
  sub.add_flag("--check", p.status.check, "One line and an exit code, for scripts and health checks")->excludes(json);
  sub.footer(kStatusCodes);
}

void add_resync(CLI::App& app, Parsed& p) {
  CLI::App& sub = *app.add_subcommand("resync", "Measure now, correct if need be, and wait for the report");
  sub.add_flag("--dry-run", p.resync.dry_run, "Measure and say what would be done; touch nothing");
  sub.add_flag("--force", p.resync.force, "Lift the limits for steps that only one source asks for");
  sub.add_flag("--json", p.resync.json, "Print the report as JSON");
  sub.add_option("--backend", p.backend, "Who makes the step, instead of what is configured")
      ->check(CLI::IsMember(std::vector<std::string>{"builtin", "ntpdate", "ntpd", "ntpdig", "chronyd"}))
      ->type_name("NAME");
  sub.add_option("--deadline", p.deadline, "Wait at most this long for the report")
      ->check(check_duration)
      ->capture_default_str()
      ->type_name("TIME");
  sub.footer(kResyncCodes);
}

void add_history(CLI::App& app, Parsed& p) {
  CLI::App& sub = *app.add_subcommand("history", "List past discontinuities and corrections, newest first");
  sub.add_option("-n,--records", p.history.records, "At most this many")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str()
      ->type_name("N");
  auto* json = sub.add_flag("--json", p.history.json, "One JSON record per line");
  sub.add_flag("--full", p.history.full, "Everything about each: evidence, actions, durations")->excludes(json);
}

Command chosen(const CLI::App& app, Parsed& p) {
  if (app.got_subcommand("status")) return p.status;
  if (app.got_subcommand("history")) return p.history;
  if (app.got_subcommand("doctor")) return DoctorCommand{};
  p.resync.deadline = *host::parse_duration(p.deadline);
  p.resync.backend = backend_named(p.backend);
  return p.resync;
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  CLI::App app(kDescription, "clockmend");
  app.set_version_flag("--version", "clockmend " CLOCKMEND_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  Options options;
  app.add_option("--root", options.root, "Prefix before every path, to look into another tree")->type_name("DIR");
  Parsed parsed;
  add_status(app, parsed);
  add_resync(app, parsed);
  add_history(app, parsed);
  app.add_subcommand("doctor", "Check what the agent needs here, each with advice")->footer(kDoctorCodes);
  try {
    app.parse(argc, argv);
    options.command = chosen(app, parsed);
  } catch (const CLI::ParseError& e) {
    std::ostringstream text;
    std::ostringstream error;
    const int code = app.exit(e, text, error) == 0 ? 0 : kUsageError;
    options.command = Output{code, text.str(), error.str()};
  }
  return options;
}

}  // namespace clockmend::cli
