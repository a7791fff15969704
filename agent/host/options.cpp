#include "agent/host/options.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

#include "agent/host/duration.hpp"

namespace clockmend::host {

namespace {

constexpr const char* kDescription =
    "Tells virtual machines that they were frozen, so that the clockmend agent in them puts the clock right at once.";

constexpr const char* kConfigFile = "/etc/clockmend-host.conf";

constexpr const char* kFooter =
    "Example, from a hot-upgrade hook:\n"
    "  clockmend-host notify --socket /run/vm1/clockmend.sock --event hot-upgrade\n"
    "A guest of libvirt, and all of them for monitoring:\n"
    "  clockmend-host notify --domain web --event restored\n"
    "  clockmend-host exchange --all --max-offset 100ms\n\n"
    "See clockmend-host(1).";

constexpr const char* kExitCodes =
    "Exit codes: 0 corrected or nothing to do, 1 refused, 2 correction failed, 3 no agent answers,\n"
    "4 no report in time, 5 another client holds the port, 6 protocol error, 7 several guests failed in\n"
    "different ways, 9 libvirt is missing or does not answer, 64 wrong usage.";

const std::map<std::string, core::NoticeEvent>& events() {
  static const std::map<std::string, core::NoticeEvent> all = {
      {"pausing", core::NoticeEvent::pausing},   {"resumed", core::NoticeEvent::resumed},   {"hot-upgrade", core::NoticeEvent::hot_upgrade},
      {"migrated", core::NoticeEvent::migrated}, {"restored", core::NoticeEvent::restored}, {"snapshot", core::NoticeEvent::snapshot}};
  return all;
}

std::string check_event(const std::string& name) {
  if (events().contains(name)) return {};
  return "unknown event " + name + " (pausing, resumed, hot-upgrade, migrated, restored or snapshot)";
}

std::string check_duration(const std::string& text) {
  const auto parsed = parse_duration(text);
  return parsed ? std::string{} : parsed.error().text;
}

// What CLI11 fills in; text where the value needs a conversion.
struct Raw {
  std::string event = "resumed";
  std::string deadline = "30s";
  std::string answer_deadline = "5s";
  std::string max_age;
  std::string max_offset;
  bool no_exchange = false;
  bool wait = true;
};

CLI::Option* add_duration(CLI::App& app, const std::string& name, std::string& value, const std::string& description) {
  return app.add_option(name, value, description)->check(check_duration)->type_name("TIME");
}

void add_connection(CLI::App& app, std::string& uri, std::string& control) {
  app.add_option("--connect", uri, "libvirt's address on this machine (default: libvirt's own, qemu:///system for root)")->type_name("URI");
  app.add_option("--control", control, "The socket of clockmend-host watch, which is asked first where it runs; '' leaves it out")
      ->capture_default_str()
      ->type_name("PATH");
}

void add_selection(CLI::App& app, VisitCommand& command) {
  Selection& s = command.selection;
  app.add_option("--socket", s.sockets, "The host's end of a guest's port org.clockmend.agent.0 (unix socket); several are visited at once")
      ->type_name("PATH");
  app.add_option("--domain", s.domains, "A guest by the name libvirt has for it; several are visited at once")->type_name("NAME");
  app.add_flag("--all", s.all, "Every guest with such a port that libvirt runs, or that has its socket in --directory");
  app.add_option("--directory", s.directory,
                 "Where --all finds the sockets: DIR/*.sock, DIR/*/clockmend.sock and DIR/*/org.clockmend.agent.0")
      ->type_name("DIR");
  add_connection(app, s.uri, s.control);
  app.add_option("--parallel", command.visit.parallel, "So many guests at a time")
      ->check(CLI::Range(std::size_t{1}, std::size_t{4096}))
      ->capture_default_str()
      ->type_name("N");
}

void add_limits(CLI::App& app, VisitCommand& command, Raw& raw) {
  add_duration(app, "--deadline", raw.deadline, "For everything together")->capture_default_str();
  add_duration(app, "--answer-deadline", raw.answer_deadline, "For an agent's first answer")->capture_default_str();
  app.add_flag("--json", command.json, "Print JSON, one line for each guest");
}

void add_notify(CLI::App& notify, VisitCommand& command, Raw& raw) {
  notify.footer(kExitCodes);
  add_selection(notify, command);
  wire::ClockNotify& notice = command.visit.options.notice;
  notify.add_option("--event", raw.event, "What happened: pausing, resumed, hot-upgrade, migrated, restored or snapshot")
      ->check(check_event)
      ->capture_default_str()
      ->type_name("EVENT");
  notify.add_option("--id", notice.id, "Names this notice; the agent ignores a repeat (default: random)");
  notify.add_option("--epoch", notice.epoch, "Names the life of the VM on this host; changes with migration");
  notify.add_flag("--no-exchange", raw.no_exchange, "Only say that something happened, do not offer this host's time");
  notify.add_flag("--wait,!--no-wait", raw.wait, "Wait for the report (default), or only until the notice is accepted");
  add_duration(notify, "--max-age", raw.max_age, "The agent shall ignore the notice when it is older than this");
  add_limits(notify, command, raw);
}

void add_exchange(CLI::App& exchange, VisitCommand& command, Raw& raw) {
  exchange.footer("Exit codes: as for notify, and 8 where --max-offset is exceeded.");
  add_selection(exchange, command);
  add_duration(exchange, "--max-offset", raw.max_offset, "Exit with 8 when a clock is surely further off than this");
  add_limits(exchange, command, raw);
}

void add_watch(CLI::App& app, WatchCommand& command) {
  add_connection(app, command.uri, command.control);
  app.add_option("--metrics", command.metrics, "Write Prometheus metrics to this file")->type_name("FILE");
  app.add_option("--parallel", command.parallel, "So many guests at a time")
      ->check(CLI::Range(std::size_t{1}, std::size_t{4096}))
      ->capture_default_str()
      ->type_name("N");
}

void convert(const Raw& raw, std::uint64_t nonce, VisitCommand& command) {
  NotifyOptions& n = command.visit.options;
  n.notice.event = events().at(raw.event);
  if (n.notice.id.empty()) n.notice.id = "notify-" + std::to_string(nonce);
  n.notice.wait = raw.wait;
  n.exchange = !raw.no_exchange;
  n.deadline = *parse_duration(raw.deadline);
  n.answer_deadline = *parse_duration(raw.answer_deadline);
  if (!raw.max_age.empty()) n.notice.max_age = std::chrono::duration_cast<core::milliseconds>(*parse_duration(raw.max_age));
  if (!raw.max_offset.empty()) command.max_offset = *parse_duration(raw.max_offset);
  n.nonce = nonce;
}

// What CLI11 cannot say about combinations; empty: nothing wrong.
std::string mistake_in(const Selection& selection) {
  const bool named = !selection.sockets.empty() || !selection.domains.empty();
  if (!named && !selection.all) return "no guest is named: --socket, --domain or --all is required";
  if (named && selection.all) return "--all excludes --socket and --domain";
  return {};
}

Finish usage_error(const std::string& text) { return {kUsageError, "", text + "\nRun with --help for more information.\n"}; }

}  // namespace

Command parse_options(int argc, const char* const* argv, std::uint64_t nonce) {
  CLI::App app(kDescription, "clockmend-host");
  app.set_version_flag("--version", "clockmend-host " CLOCKMEND_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.set_config("--config", kConfigFile, "Options by subcommand, as in [notify]")->type_name("FILE");
  VisitCommand notify;
  VisitCommand exchange;
  exchange.visit.measure = true;
  Raw raw_notify;
  Raw raw_exchange;
  add_notify(*app.add_subcommand("notify", "Tell guests what happened, and wait for their reports"), notify, raw_notify);
  CLI::App* measure = app.add_subcommand("exchange", "Measure guests' clocks against this host's; nothing is told or changed");
  add_exchange(*measure, exchange, raw_exchange);
  WatchCommand watch;
  watch.nonce = nonce;
  CLI::App* watching = app.add_subcommand("watch", "Follow libvirt, and tell each guest that was frozen");
  add_watch(*watching, watch);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::ostringstream output;
    std::ostringstream error;
    const int code = app.exit(e, output, error) == 0 ? 0 : kUsageError;
    return Finish{code, output.str(), error.str()};
  }
  if (watching->parsed()) return watch;
  const bool measuring = measure->parsed();
  VisitCommand& command = measuring ? exchange : notify;
  const std::string mistake = mistake_in(command.selection);
  if (!mistake.empty()) return usage_error(mistake);
  convert(measuring ? raw_exchange : raw_notify, nonce, command);
  return command;
}

}  // namespace clockmend::host
