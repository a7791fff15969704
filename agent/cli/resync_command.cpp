#include "agent/cli/resync_command.hpp"

#include "agent/host/answer.hpp"
#include "agent/host/words.hpp"
#include "agent/wire/report.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::cli {

namespace {

using host::Verdict;

Output failure(Verdict verdict, const std::string& why) {
  return {static_cast<int>(verdict), "", "clockmend: " + host::printable(why) + "\n"};
}

Output unreachable(const core::Error& error) {
  if (error.code == core::ErrorCode::not_found) return failure(Verdict::no_agent, "no agent is running here (clockmendd.service)");
  if (error.code == core::ErrorCode::not_permitted)
    return failure(Verdict::no_agent, error.text + " (only root and members of the group clockmend may ask the agent)");
  return failure(host::verdict_of(error), error.text);
}

std::string text_of(const core::CorrectionReport& report, bool json) {
  if (json) return wire::report_line(report) + "\n";
  return host::headline(report) + "\n\n" + wire::render_report(report);
}

}  // namespace

Output run_resync(const Context& context, const ResyncCommand& command) {
  const wire::ClockResync request{command.dry_run, command.force, true, command.backend};
  const core::Result<wire::Reply> answer = context.ask(request, command.deadline);
  if (!answer) return unreachable(answer.error());
  if (answer->error) return failure(host::verdict_of(answer->error->error_class), "the agent says: " + answer->error->text);
  const core::Result<wire::NotifyReply> reply = wire::parse_notify_reply(answer->value_json);
  if (!reply) return failure(Verdict::protocol, reply.error().text);
  if (!reply->report) return failure(host::verdict_of(*reply), std::string{"no report; the request was "} + to_string(reply->disposition));
  return {static_cast<int>(host::verdict_of(*reply)), text_of(*reply->report, command.json), ""};
}

}  // namespace clockmend::cli
