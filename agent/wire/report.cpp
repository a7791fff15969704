#include "agent/wire/report.hpp"

#include "agent/wire/fields.hpp"
#include "agent/wire/json.hpp"
#include "agent/wire/values.hpp"

namespace clockmend::wire {
namespace {

Json to_json(const core::ActionRecord& value) {
  Json json;
  json["kind"] = to_string(value.kind);
  json["begun_ns"] = value.begun.count();
  json["ended_ns"] = value.ended.count();
  json["ok"] = value.ok;
  json["detail"] = value.detail;
  json["offset_ns"] = ns_or_null(value.offset);
  json["uncertainty_ns"] = ns_or_null(value.uncertainty);
  return json;
}

core::ActionRecord read_action(const Json& json, const std::string& where, std::string& error) {
  core::ActionRecord value;
  Fields fields(json, where, error);
  value.kind = fields.name<core::ActionKind>("kind");
  value.begun = fields.ns("begun_ns");
  value.ended = fields.ns("ended_ns");
  value.ok = fields.flag("ok");
  value.detail = fields.text("detail");
  if (const auto offset = fields.optional_ns("offset_ns")) value.offset = core::Offset{*offset};
  value.uncertainty = fields.optional_ns("uncertainty_ns");
  return value;
}

core::Estimate read_estimate(const Json& json, const std::string& where, std::string& error) {
  core::Estimate value;
  Fields fields(json, where, error);
  value.offset.value = fields.ns("offset_ns");
  value.uncertainty = fields.ns("uncertainty_ns");
  value.basis = fields.name<core::Basis>("basis");
  value.best = fields.name<core::Witness>("best");
  value.witnesses = fields.small_count("witnesses");
  value.ntp_majority = fields.flag("ntp_majority");
  for (const Json& item : fields.array("agreeing")) {
    const auto witness = item.is_string() ? enum_named<core::Witness>(item.get<std::string>()) : std::nullopt;
    if (witness) {
      value.agreeing.push_back(*witness);
    } else {
      fields.fail("agreeing", "names an unknown witness");
    }
  }
  return value;
}

}  // namespace

Json to_json(const core::CorrectionReport& value) {
  Json json;
  json["schema"] = kReportSchema;
  json["number"] = value.number;
  json["outcome"] = to_string(value.outcome);
  json["reason"] = value.reason;
  put_moment(json, "started", value.started_realtime);
  put_moment(json, "ended", value.ended_realtime);
  json["duration_ns"] = value.duration.count();
  json["total_step_ns"] = value.total.value.count();
  json["residual_ns"] = ns_or_null(value.residual);
  json["residual_uncertainty_ns"] = ns_or_null(value.residual_uncertainty);
  json["verified"] = value.verified;
  json["rtc"] = value.rtc;
  json["daemon"] = value.daemon;
  json["estimate"] = or_null(value.estimate);
  json["actions"] = Json::array();
  for (const core::ActionRecord& action : value.actions) json["actions"].push_back(to_json(action));
  json["notices"] = value.notices;
  json["discontinuity"] = to_json(value.discontinuity);
  return json;
}

core::CorrectionReport read_report(const Json* json, const std::string& where, std::string& error) {
  core::CorrectionReport value;
  if (json == nullptr) return value;
  Fields fields(*json, where, error);
  if (fields.text("schema") != kReportSchema) fields.fail("schema", std::string("must be ") + kReportSchema);
  value.number = fields.count("number");
  value.outcome = fields.name<core::Outcome>("outcome");
  value.reason = fields.text("reason");
  value.started_realtime = core::RealtimePoint(fields.ns("started_realtime_ns"));
  value.ended_realtime = core::RealtimePoint(fields.ns("ended_realtime_ns"));
  value.duration = fields.ns("duration_ns");
  value.total.value = fields.ns("total_step_ns");
  if (const auto residual = fields.optional_ns("residual_ns")) value.residual = core::Offset{*residual};
  value.residual_uncertainty = fields.optional_ns("residual_uncertainty_ns");
  value.verified = fields.flag("verified");
  value.rtc = fields.text("rtc");
  value.daemon = fields.text("daemon");
  if (const Json* estimate = fields.optional_object("estimate")) value.estimate = read_estimate(*estimate, fields.path("estimate"), error);
  for (const Json& item : fields.array("actions")) value.actions.push_back(read_action(item, fields.path("actions"), error));
  for (const Json& id : fields.array("notices")) {
    if (!id.is_string()) {
      fields.fail("notices", "must hold strings");
      break;
    }
    value.notices.push_back(id.get<std::string>());
  }
  value.discontinuity = read_discontinuity(fields.object("discontinuity"), fields.path("discontinuity"), error);
  return value;
}

std::string report_line(const core::CorrectionReport& report) { return dump_line(to_json(report)); }

std::string report_pretty(const core::CorrectionReport& report) { return dump_pretty(to_json(report)); }

core::Result<core::CorrectionReport> parse_report(std::string_view text) {
  auto json = parse_bounded(text, kReportLimits);
  if (!json) return core::Error{core::ErrorCode::invalid, "report: " + json.error().text};
  std::string error;
  core::CorrectionReport report = read_report(&*json, "", error);
  if (!error.empty()) return core::Error{core::ErrorCode::invalid, "report: " + error};
  return report;
}

}  // namespace clockmend::wire
