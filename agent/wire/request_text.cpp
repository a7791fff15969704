#include "agent/wire/envelope.hpp"
#include "agent/wire/json.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::wire {
namespace {

Json arguments(const GuestSync& r) { return Json{{"id", r.id}}; }
Json arguments(const GuestSyncDelimited& r) { return Json{{"id", r.id}}; }
Json arguments(const GuestPing&) { return {}; }
Json arguments(const GuestInfo&) { return {}; }
Json arguments(const GuestGetTime&) { return {}; }
Json arguments(const ClockStatus&) { return {}; }
Json arguments(const ClockExchange& r) { return Json{{"t1", r.t1}}; }
Json arguments(const GuestSetTime& r) { return r.time ? Json{{"time", r.time->count()}} : Json(); }

Json arguments(const ClockNotify& r) {
  Json json;
  json["event"] = to_string(r.event);
  if (!r.id.empty()) json["id"] = r.id;
  if (!r.epoch.empty()) json["epoch"] = r.epoch;
  if (r.sent) json["sent-realtime-ns"] = r.sent->time_since_epoch().count();
  if (r.max_age) json["max-age-ms"] = r.max_age->count();
  if (r.wait) json["wait"] = true;
  for (const Quadruple& q : r.exchange) json["exchange"].push_back(Json{{"t1", q.t1}, {"t2", q.t2}, {"t3", q.t3}, {"t4", q.t4}});
  return json;
}

Json arguments(const ClockResync& r) {
  Json json{{"dry-run", r.dry_run}, {"force", r.force}, {"wait", r.wait}};
  if (r.backend) json["backend"] = to_string(*r.backend);
  return json;
}

Json arguments(const ClockHistory& r) {
  Json json{{"limit", r.limit}};
  if (r.before) json["before"] = *r.before;
  return json;
}

}  // namespace

std::string request_text(const Request& request, std::string_view id_json) {
  Json json;
  json["execute"] = verb_of(request);
  Json given = std::visit([](const auto& r) { return arguments(r); }, request);
  if (!given.is_null()) json["arguments"] = std::move(given);
  return with_id(dump_line(json), id_json);
}

}  // namespace clockmend::wire
