#include "agent/wire/values.hpp"

#include "agent/wire/text.hpp"

namespace clockmend::wire {

void put_moment(Json& object, const std::string& name, const std::optional<core::RealtimePoint>& moment) {
  object[name] = moment ? Json(iso8601(*moment)) : Json();
  object[name + "_realtime_ns"] = moment ? Json(moment->time_since_epoch().count()) : Json();
}

Json to_json(const core::ClockSnapshot& value) {
  Json json;
  put_moment(json, "realtime", value.realtime);
  json.erase("realtime_realtime_ns");
  json["realtime_ns"] = value.realtime.time_since_epoch().count();
  json["monotonic_ns"] = value.monotonic.time_since_epoch().count();
  json["raw_ns"] = value.raw.time_since_epoch().count();
  json["boottime_ns"] = value.boottime.time_since_epoch().count();
  json["bracket_ns"] = value.bracket.count();
  return json;
}

Json to_json(const core::OffsetReading& value) {
  Json json;
  json["witness"] = to_string(value.witness);
  json["offset_ns"] = value.offset.value.count();
  json["uncertainty_ns"] = value.uncertainty.count();
  json["systematic_ns"] = value.systematic.count();
  json["agreeing"] = value.agreeing;
  json["answered"] = value.answered;
  json["detail"] = value.detail;
  json["at"] = to_json(value.at);
  return json;
}

Json to_json(const core::HostNotice& value) {
  Json json;
  json["event"] = to_string(value.event);
  json["id"] = value.id;
  json["epoch"] = value.epoch;
  put_moment(json, "sent", value.sent);
  json["exchange"] = or_null(value.exchange);
  json["force"] = value.force;
  json["dry_run"] = value.dry_run;
  return json;
}

namespace {

// As middle and half-width: a gap is a length with its error.
void put_gap(Json& json, const std::optional<core::OffsetInterval>& gap) {
  json["gap_ns"] = gap ? Json(gap->middle().value.count()) : Json();
  json["gap_uncertainty_ns"] = gap ? Json(gap->half_width().count()) : Json();
}

}  // namespace

Json to_json(const core::Discontinuity& value) {
  Json json;
  json["cause"] = to_string(value.cause);
  json["tripwire"] = value.tripwire;
  json["detected"] = to_json(value.detected);
  json["notice"] = or_null(value.notice);
  json["foreign_step_ns"] = ns_or_null(value.foreign_step);
  json["disruptions"] = value.disruptions;
  put_gap(json, value.gap);
  json["confidence"] = to_string(value.confidence);
  json["evidence"] = Json::array();
  for (const core::Evidence& evidence : value.evidence) {
    Json item = to_json(evidence.reading);
    item["basis"] = to_string(evidence.basis);
    item["needed_low_ns"] = evidence.needed.low.value.count();
    item["needed_high_ns"] = evidence.needed.high.value.count();
    put_gap(item, evidence.gap);
    item["used"] = evidence.used;
    json["evidence"].push_back(std::move(item));
  }
  return json;
}

Json to_json(const core::Estimate& value) {
  Json json;
  json["offset_ns"] = value.offset.value.count();
  json["uncertainty_ns"] = value.uncertainty.count();
  json["basis"] = to_string(value.basis);
  json["best"] = to_string(value.best);
  json["witnesses"] = value.witnesses;
  json["ntp_majority"] = value.ntp_majority;
  json["agreeing"] = Json::array();
  for (const core::Witness witness : value.agreeing) json["agreeing"].push_back(to_string(witness));
  return json;
}

core::ClockSnapshot read_snapshot(const Json* json, const std::string& where, std::string& error) {
  core::ClockSnapshot value;
  if (json == nullptr) return value;
  Fields fields(*json, where, error);
  value.realtime = core::RealtimePoint(fields.ns("realtime_ns"));
  value.monotonic = core::MonotonicPoint(fields.ns("monotonic_ns"));
  value.raw = core::RawPoint(fields.ns("raw_ns"));
  value.boottime = core::BoottimePoint(fields.ns("boottime_ns"));
  value.bracket = fields.ns("bracket_ns");
  return value;
}

core::OffsetReading read_reading(const Json* json, const std::string& where, std::string& error) {
  core::OffsetReading value;
  if (json == nullptr) return value;
  Fields fields(*json, where, error);
  value.witness = fields.name<core::Witness>("witness");
  value.offset.value = fields.ns("offset_ns");
  value.uncertainty = fields.ns("uncertainty_ns");
  value.systematic = fields.ns("systematic_ns");
  value.agreeing = fields.small_count("agreeing");
  value.answered = fields.small_count("answered");
  value.detail = fields.text("detail");
  value.at = read_snapshot(fields.object("at"), fields.path("at"), error);
  return value;
}

namespace {

core::HostNotice read_notice(const Json* json, const std::string& where, std::string& error) {
  core::HostNotice value;
  if (json == nullptr) return value;
  Fields fields(*json, where, error);
  value.event = fields.name<core::NoticeEvent>("event");
  value.id = fields.text("id");
  value.epoch = fields.text("epoch");
  if (const auto sent = fields.optional_ns("sent_realtime_ns")) value.sent = core::RealtimePoint(*sent);
  if (const Json* exchange = fields.optional_object("exchange")) value.exchange = read_reading(exchange, fields.path("exchange"), error);
  value.force = fields.flag("force");
  value.dry_run = fields.flag("dry_run");
  return value;
}

// Records of older versions have none.
std::optional<core::OffsetInterval> read_gap(Fields& fields) {
  const auto middle = fields.optional_ns("gap_ns");
  const auto half_width = fields.optional_ns("gap_uncertainty_ns");
  if (!middle || !half_width) return std::nullopt;
  return core::interval_around({*middle}, *half_width);
}

core::Evidence read_evidence(const Json& json, const std::string& where, std::string& error) {
  core::Evidence value;
  value.reading = read_reading(&json, where, error);
  Fields fields(json, where, error);
  value.basis = fields.name<core::Basis>("basis");
  value.needed.low.value = fields.ns("needed_low_ns");
  value.needed.high.value = fields.ns("needed_high_ns");
  value.gap = read_gap(fields);
  value.used = fields.flag("used");
  return value;
}

}  // namespace

core::Discontinuity read_discontinuity(const Json* json, const std::string& where, std::string& error) {
  core::Discontinuity value;
  if (json == nullptr) return value;
  Fields fields(*json, where, error);
  value.cause = fields.name<core::Cause>("cause");
  value.tripwire = fields.text("tripwire");
  value.detected = read_snapshot(fields.object("detected"), fields.path("detected"), error);
  if (const Json* notice = fields.optional_object("notice")) value.notice = read_notice(notice, fields.path("notice"), error);
  value.foreign_step = fields.optional_ns("foreign_step_ns");
  value.gap = read_gap(fields);
  if (fields.has("disruptions")) {
    for (const Json& item : fields.array("disruptions")) {
      if (!item.is_string())
        fields.fail("disruptions", "holds something that is no text");
      else
        value.disruptions.push_back(item.get<std::string>());
    }
  }
  if (fields.has("confidence")) value.confidence = fields.name<core::Confidence>("confidence");
  for (const Json& item : fields.array("evidence")) value.evidence.push_back(read_evidence(item, fields.path("evidence"), error));
  return value;
}

}  // namespace clockmend::wire
