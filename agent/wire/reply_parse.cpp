#include "agent/wire/fields.hpp"
#include "agent/wire/json.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/values.hpp"

namespace clockmend::wire {
namespace {

constexpr JsonLimits kReplyLimits{kMaxReply, 12, 64, 16384};
constexpr char kFlush = '\xff';

core::Error bad(const std::string& why) { return {core::ErrorCode::invalid, "reply: " + why}; }

}  // namespace

core::Result<Reply> parse_reply(std::string_view line) {
  while (!line.empty() && line.front() == kFlush) line.remove_prefix(1);
  auto json = parse_bounded(line, kReplyLimits);
  if (!json) return bad(json.error().text);
  if (!json->is_object()) return bad("must be an object");
  Reply reply;
  if (json->contains("id")) reply.id_json = dump_line((*json)["id"]);
  if (json->contains("return") == json->contains("error")) return bad("needs either \"return\" or \"error\"");
  if (json->contains("return")) {
    reply.value_json = dump_line((*json)["return"]);
    return reply;
  }
  std::string error;
  Fields fields((*json)["error"], "error", error);
  RequestError refused;
  refused.error_class = enum_named<ErrorClass>(fields.text("class")).value_or(ErrorClass::generic);
  refused.text = fields.text("desc");
  if (!error.empty()) return bad(error);
  reply.error = std::move(refused);
  return reply;
}

core::Result<std::int64_t> parse_integer(std::string_view value_json) {
  auto json = parse_bounded(value_json, kReplyLimits);
  if (!json) return bad(json.error().text);
  if (!json->is_number_integer()) return bad("a whole number was expected");
  return json->get<std::int64_t>();
}

core::Result<ExchangeReply> parse_exchange_reply(std::string_view value_json) {
  auto json = parse_bounded(value_json, kReplyLimits);
  if (!json) return bad(json.error().text);
  std::string error;
  Fields fields(*json, "", error);
  const ExchangeReply reply{fields.integer("t2"), fields.integer("t3")};
  if (!error.empty()) return bad(error);
  return reply;
}

core::Result<NotifyReply> parse_notify_reply(std::string_view value_json) {
  auto json = parse_bounded(value_json, kReplyLimits);
  if (!json) return bad(json.error().text);
  std::string error;
  Fields fields(*json, "", error);
  NotifyReply reply;
  reply.id = fields.text("id");
  reply.disposition = fields.name<Disposition>("disposition");
  reply.host_time = fields.name<HostTime>("host-time");
  reply.note = fields.text("note");
  if (const Json* report = fields.optional_object("report")) reply.report = read_report(report, "report", error);
  if (!error.empty()) return bad(error);
  return reply;
}

core::Result<HistoryPage> parse_history_page(std::string_view value_json) {
  auto json = parse_bounded(value_json, kReplyLimits);
  if (!json) return bad(json.error().text);
  std::string error;
  Fields fields(*json, "", error);
  HistoryPage page;
  for (const Json& item : fields.array("records")) page.records.push_back(read_report(&item, "records", error));
  page.damaged = fields.count("damaged");
  if (fields.has("next-before")) page.next_before = fields.count("next-before");
  if (!error.empty()) return bad(error);
  return page;
}

}  // namespace clockmend::wire
