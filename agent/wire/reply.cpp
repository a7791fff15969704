#include "agent/wire/reply.hpp"

#include <algorithm>

#include "agent/wire/envelope.hpp"
#include "agent/wire/json.hpp"
#include "agent/wire/report.hpp"
#include "agent/wire/status.hpp"
#include "agent/wire/values.hpp"

namespace clockmend::wire {
namespace {

/// Room for {"return":{"records":[...],"damaged":N,"next-before":N},"id":ID}.
constexpr std::size_t kEnvelope = 512;
constexpr std::size_t kMaxErrorText = 1024;

std::string within_limit(std::string reply, std::string_view what, std::string_view id_json) {
  if (reply.size() <= kMaxReply) return reply;
  return error_reply(ErrorClass::generic, std::string(what) + " is larger than a reply may be", id_json);
}

}  // namespace

const char* to_string(Disposition d) {
  switch (d) {
    case Disposition::accepted:
      return "accepted";
    case Disposition::deferred:
      return "deferred";
    case Disposition::repeated:
      return "repeated";
    case Disposition::stale:
      return "stale";
    case Disposition::dropped:
      return "dropped";
  }
  return "?";
}

const char* to_string(HostTime t) {
  switch (t) {
    case HostTime::none:
      return "none";
    case HostTime::bound:
      return "bound";
    case HostTime::exchange:
      return "exchange";
    case HostTime::stamp:
      return "stamp";
  }
  return "?";
}

std::string error_reply(ErrorClass c, std::string_view text, std::string_view id_json) {
  Json json;
  json["error"]["class"] = to_string(c);
  json["error"]["desc"] = shortened(text, kMaxErrorText);
  return with_id(dump_line(json), id_json);
}

std::string empty_reply(std::string_view id_json) { return returned("{}", id_json); }

std::string integer_reply(std::int64_t value, std::string_view id_json) { return returned(std::to_string(value), id_json); }

std::string info_reply(std::string_view version, const std::vector<std::string>& disabled, std::string_view id_json) {
  Json json;
  json["version"] = version;
  json["supported_commands"] = Json::array();
  for (const std::string_view verb : all_verbs()) {
    const bool enabled = std::find(disabled.begin(), disabled.end(), verb) == disabled.end();
    json["supported_commands"].push_back(Json{{"name", verb}, {"enabled", enabled}, {"success-response", true}});
  }
  return returned(dump_line(json), id_json);
}

std::string exchange_reply(const ExchangeReply& reply, std::string_view id_json) {
  return returned("{\"t2\":" + std::to_string(reply.t2) + ",\"t3\":" + std::to_string(reply.t3) + "}", id_json);
}

std::string notify_reply(const NotifyReply& reply, std::string_view id_json) {
  Json json;
  json["id"] = reply.id;
  json["disposition"] = to_string(reply.disposition);
  json["host-time"] = to_string(reply.host_time);
  json["note"] = reply.note;
  json["report"] = or_null(reply.report);
  return within_limit(returned(dump_line(json), id_json), "the report", id_json);
}

std::string status_reply(const core::AgentStatus& status, std::string_view id_json) {
  return within_limit(returned(status_line(status), id_json), "the status", id_json);
}

std::string history_reply(const std::vector<std::string>& lines, bool more, std::string_view id_json) {
  std::string records;
  std::uint64_t damaged = 0;
  std::optional<std::uint64_t> oldest;
  bool full = false;
  for (const std::string& line : lines) {
    const auto report = parse_report(line);
    if (!report) {
      ++damaged;
      continue;
    }
    // Written again from its value: the file's own text may carry members or spaces of another version.
    const std::string text = report_line(*report);
    if (records.size() + text.size() + kEnvelope > kMaxReply) {
      full = true;
      break;
    }
    if (!records.empty()) records += ',';
    records += text;
    oldest = report->number;
  }
  std::string value = "{\"records\":[" + records + "],\"damaged\":" + std::to_string(damaged) + ",\"next-before\":";
  value += (more || full) && oldest ? std::to_string(*oldest) : "null";
  return returned(value + "}", id_json);
}

}  // namespace clockmend::wire
