#include "agent/wire/request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/core/verbs.hpp"
#include "agent/wire/fields.hpp"
#include "agent/wire/json.hpp"

namespace clockmend::wire {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxEchoedId = 256;
constexpr std::int64_t kMaxHistory = 200;
constexpr std::int64_t kMaxAgeLimitMs = 3'600'000;

/// `id` and `epoch` are compared, kept and printed: short and visible ASCII.
std::string name_argument(Fields& fields, const char* key) {
  if (!fields.has(key)) return {};
  std::string value = fields.text(key);
  const bool visible = std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (value.size() > kMaxName || !visible) fields.fail(key, "must be at most 64 visible ASCII characters");
  return value;
}

core::NoticeEvent event_argument(Fields& fields) {
  const auto event = fields.name<core::NoticeEvent>("event");
  if (fields.ok() && (event == core::NoticeEvent::set_time || event == core::NoticeEvent::resync)) {
    fields.fail("event", std::string("\"") + to_string(event) + "\" has a command of its own");
  }
  return event;
}

/// Nanoseconds of CLOCK_REALTIME before 1970 or after 2200 are nobody's time; within these limits no difference overflows.
std::int64_t stamp(Fields& fields, const char* key) {
  constexpr std::int64_t kLatest = 7'258'118'400'000'000'000;  // 2200-01-01
  const std::int64_t value = fields.integer(key);
  if (value < 0 || value > kLatest) fields.fail(key, "must be nanoseconds between 1970 and 2200");
  return value;
}

std::vector<Quadruple> exchange_argument(Fields& fields, std::string& error) {
  std::vector<Quadruple> quadruples;
  if (!fields.has("exchange")) return quadruples;
  const Json& list = fields.array("exchange");
  if (list.size() > kMaxQuadruples) fields.fail("exchange", "has more than 16 rounds");
  if (!fields.ok()) return quadruples;
  for (const Json& item : list) {
    Fields round(item, fields.path("exchange"), error);
    quadruples.push_back({stamp(round, "t1"), stamp(round, "t2"), stamp(round, "t3"), stamp(round, "t4")});
    round.reject_unknown();
  }
  return quadruples;
}

Request read(GuestSync, Fields& fields, std::string&) { return GuestSync{fields.integer("id")}; }
Request read(GuestSyncDelimited, Fields& fields, std::string&) { return GuestSyncDelimited{fields.integer("id")}; }
Request read(GuestPing, Fields&, std::string&) { return GuestPing{}; }
Request read(GuestInfo, Fields&, std::string&) { return GuestInfo{}; }
Request read(GuestGetTime, Fields&, std::string&) { return GuestGetTime{}; }
Request read(ClockStatus, Fields&, std::string&) { return ClockStatus{}; }
Request read(ClockExchange, Fields& fields, std::string&) { return ClockExchange{stamp(fields, "t1")}; }

Request read(GuestSetTime, Fields& fields, std::string&) {
  if (!fields.has("time")) return GuestSetTime{};
  return GuestSetTime{core::nanoseconds(stamp(fields, "time"))};
}

Request read(ClockNotify, Fields& fields, std::string& error) {
  ClockNotify notify;
  notify.event = event_argument(fields);
  notify.id = name_argument(fields, "id");
  notify.epoch = name_argument(fields, "epoch");
  if (fields.has("sent-realtime-ns")) notify.sent = core::RealtimePoint(core::nanoseconds(stamp(fields, "sent-realtime-ns")));
  if (const auto age = fields.optional_integer("max-age-ms")) {
    if (*age < 1 || *age > kMaxAgeLimitMs) fields.fail("max-age-ms", "must be 1..3600000");
    notify.max_age = core::milliseconds(*age);
  }
  notify.wait = fields.flag_or("wait", false);
  notify.exchange = exchange_argument(fields, error);
  return notify;
}

Request read(ClockResync, Fields& fields, std::string&) {
  ClockResync resync;
  resync.dry_run = fields.flag_or("dry-run", false);
  resync.force = fields.flag_or("force", false);
  resync.wait = fields.flag_or("wait", true);
  if (fields.has("backend")) resync.backend = fields.name<core::StepBackend>("backend");
  return resync;
}

Request read(ClockHistory, Fields& fields, std::string&) {
  ClockHistory history;
  if (const auto limit = fields.optional_integer("limit")) {
    if (*limit < 1 || *limit > kMaxHistory) fields.fail("limit", "must be 1..200");
    history.limit = static_cast<std::size_t>(*limit);
  }
  if (fields.has("before")) history.before = fields.count("before");
  return history;
}

template <std::size_t I = 0>
Request read_verb(std::size_t index, Fields& fields, std::string& error) {
  if constexpr (I < std::variant_size_v<Request>) {
    if (index == I) return read(std::variant_alternative_t<I, Request>{}, fields, error);
    return read_verb<I + 1>(index, fields, error);
  } else {
    return GuestPing{};  // not reached: the index comes from all_verbs()
  }
}

std::variant<Request, RequestError> read_request(const Json& json) {
  std::string error;
  Fields outer(json, "", error);
  const std::string verb = outer.text("execute");
  const Json* arguments = outer.optional_object("arguments");
  static_cast<void>(outer.has("id"));
  outer.reject_unknown();
  if (!error.empty()) return RequestError{ErrorClass::generic, error};
  const auto& verbs = all_verbs();
  const auto found = std::find(verbs.begin(), verbs.end(), verb);
  if (found == verbs.end()) return RequestError{ErrorClass::command_not_found, "there is no command \"" + shortened(verb) + "\""};
  const Json none = Json::object();
  Fields fields(arguments == nullptr ? none : *arguments, "arguments", error);
  Request request = read_verb(static_cast<std::size_t>(found - verbs.begin()), fields, error);
  fields.reject_unknown();
  if (!error.empty()) return RequestError{ErrorClass::generic, verb + ": " + error};
  return request;
}

static_assert(core::kChannelVerbs.size() == std::variant_size_v<Request>, "each alternative of Request has its verb, in the same order");

}  // namespace

const std::vector<std::string_view>& all_verbs() {
  static const std::vector<std::string_view> verbs(core::kChannelVerbs.begin(), core::kChannelVerbs.end());
  return verbs;
}

std::string_view verb_of(const Request& request) { return all_verbs()[request.index()]; }

const char* to_string(ErrorClass c) {
  switch (c) {
    case ErrorClass::generic:
      return "GenericError";
    case ErrorClass::command_not_found:
      return "CommandNotFound";
    case ErrorClass::timeout:
      return "Timeout";
    case ErrorClass::not_permitted:
      return "NotPermitted";
    case ErrorClass::rate_limited:
      return "RateLimited";
  }
  return "?";
}

ParsedRequest parse_request(std::string_view line) {
  auto json = parse_bounded(line, kRequestLimits);
  if (!json) return {"", RequestError{ErrorClass::generic, "bad request: " + json.error().text}};
  ParsedRequest parsed;
  if (json->is_object() && json->contains("id")) parsed.id_json = dump_line((*json)["id"]);
  if (parsed.id_json.size() > kMaxEchoedId) {
    return {"", RequestError{ErrorClass::generic, "bad request: id is longer than 256 bytes"}};
  }
  parsed.request = read_request(*json);
  return parsed;
}

}  // namespace clockmend::wire
