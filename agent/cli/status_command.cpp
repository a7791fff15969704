#include "agent/cli/status_command.hpp"

#include "agent/cli/status_file.hpp"
#include "agent/host/words.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::cli {

namespace {

std::string with_reason(const std::string& sentence, const std::string& reason) {
  return host::printable(reason.empty() ? sentence + "." : sentence + ": " + reason + ".");
}

std::string right(const core::AgentStatus& status) {
  std::string text = "The clock is right";
  if (status.error_bound) text += " within " + wire::human(*status.error_bound, false);
  if (status.valid_since) text += ", since " + wire::iso8601(*status.valid_since);
  return text + ".";
}

Output no_status(const core::Error& error) {
  const bool missing = error.code == core::ErrorCode::not_found;
  const std::string why = missing ? "no agent is running here (clockmendd.service)" : error.text;
  return {kNoAgent, "", "clockmend: no status: " + host::printable(why) + "\nTry `clockmend doctor`.\n"};
}

}  // namespace

int check_code(core::ClockState state) {
  switch (state) {
    case core::ClockState::synchronized:
      return 0;
    case core::ClockState::starting:
    case core::ClockState::suspect:
    case core::ClockState::correcting:
    case core::ClockState::verifying:
      return 1;
    case core::ClockState::degraded:
    case core::ClockState::refused:
      return 2;
  }
  return kNoAgent;
}

std::string status_headline(const core::AgentStatus& status) {
  const std::string& why = status.state_reason;
  switch (status.state) {
    case core::ClockState::starting:
      return with_reason("The agent has started and no witness has answered yet", why);
    case core::ClockState::synchronized:
      return right(status);
    case core::ClockState::suspect:
      return with_reason("Something happened to the clock and is being measured; do not trust it now", why);
    case core::ClockState::correcting:
      return with_reason("The clock is being put right; do not trust it now", why);
    case core::ClockState::verifying:
      return with_reason("The clock was put right; the proof is outstanding", why);
    case core::ClockState::degraded:
      return with_reason("Part of the care for the clock failed", why);
    case core::ClockState::refused:
      return with_reason("The clock is believed wrong, and a guard forbade the correction", why);
  }
  return "?";
}

Output run_status(const Context& context, const StatusCommand& command) {
  const core::Result<StatusFile> file = read_status(context);
  if (!file) return no_status(file.error());
  const std::string stale = why_void(file->status, context.clock.snapshot().monotonic);
  Output out;
  if (!stale.empty()) {
    out.code = kNoAgent;
    out.error = "clockmend: do not believe this status: " + stale + "\n";
  } else if (command.check) {
    out.code = check_code(file->status.state);
  }
  const std::string headline = std::string{to_string(file->status.state)} + ": " + status_headline(file->status) + "\n";
  if (command.json) {
    out.text = file->text;
  } else if (command.check) {
    out.text = headline;
  } else {
    out.text = headline + "\n" + wire::render_status(file->status);
  }
  return out;
}

}  // namespace clockmend::cli
