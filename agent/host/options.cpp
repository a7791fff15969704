#include "agent/host/options.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

#include "agent/host/duration.hpp"

namespace clockmend::host {

namespace {

constexpr const char* kDescription =
    "Tells virtual machines that they were frozen, so that the clockmend agent in them puts the clock right at once.";

constexpr const char* kFooter =
    "Example, from a hot-upgrade hook:\n"
    "  clockmend-host notify --socket /run/vm1/clockmend.sock --event hot-upgrade\n\n"
    "See clockmend-host(1).";

constexpr const char* kExitCodes =
    "Exit codes: 0 corrected or nothing to do, 1 refused, 2 correction failed, 3 no agent answers,\n"
    "4 no report in time, 5 another client holds the port, 6 protocol error, 64 wrong usage.";

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
  bool no_exchange = false;
  bool wait = true;
};

void add_notify(CLI::App& notify, NotifyCommand& command, Raw& raw) {
  notify.footer(kExitCodes);
  notify.add_option("--socket", command.notify.socket, "The host's end of the guest's port org.clockmend.agent.0 (unix socket)")
      ->required()
      ->type_name("PATH");
  notify.add_option("--event", raw.event, "What happened: pausing, resumed, hot-upgrade, migrated, restored or snapshot")
      ->check(check_event)
      ->capture_default_str()
      ->type_name("EVENT");
  notify.add_option("--id", command.notify.notice.id, "Names this notice; the agent ignores a repeat (default: random)");
  notify.add_option("--epoch", command.notify.notice.epoch, "Names the life of the VM on this host; changes with migration");
  notify.add_flag("--no-exchange", raw.no_exchange, "Only say that something happened, do not offer this host's time");
  notify.add_flag("--wait,!--no-wait", raw.wait, "Wait for the report (default), or only until the notice is accepted");
  notify.add_option("--deadline", raw.deadline, "For everything together")->check(check_duration)->capture_default_str()->type_name("TIME");
  notify.add_option("--answer-deadline", raw.answer_deadline, "For the agent's first answer")
      ->check(check_duration)
      ->capture_default_str()
      ->type_name("TIME");
  notify.add_option("--max-age", raw.max_age, "The agent shall ignore the notice when it is older than this")
      ->check(check_duration)
      ->type_name("TIME");
  notify.add_flag("--json", command.json, "Print the agent's answer as JSON");
}

void convert(const Raw& raw, std::uint64_t nonce, NotifyCommand& command) {
  NotifyOptions& n = command.notify;
  n.notice.event = events().at(raw.event);
  if (n.notice.id.empty()) n.notice.id = "notify-" + std::to_string(nonce);
  n.notice.wait = raw.wait;
  n.exchange = !raw.no_exchange;
  n.deadline = *parse_duration(raw.deadline);
  n.answer_deadline = *parse_duration(raw.answer_deadline);
  if (!raw.max_age.empty()) n.notice.max_age = std::chrono::duration_cast<core::milliseconds>(*parse_duration(raw.max_age));
  n.nonce = nonce;
}

}  // namespace

Command parse_options(int argc, const char* const* argv, std::uint64_t nonce) {
  CLI::App app(kDescription, "clockmend-host");
  app.set_version_flag("--version", "clockmend-host " CLOCKMEND_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  NotifyCommand command;
  Raw raw;
  add_notify(*app.add_subcommand("notify", "Tell one guest what happened, and wait for its report"), command, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::ostringstream output;
    std::ostringstream error;
    const int code = app.exit(e, output, error) == 0 ? 0 : kUsageError;
    return Finish{code, output.str(), error.str()};
  }
  convert(raw, nonce, command);
  return command;
}

}  // namespace clockmend::host
