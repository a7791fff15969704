#include "agent/wire/status.hpp"

#include "agent/wire/fields.hpp"
#include "agent/wire/json.hpp"
#include "agent/wire/status_json.hpp"
#include "agent/wire/values.hpp"

namespace clockmend::wire {
namespace {

/// A reader must never believe longer than meant: a rest of a millisecond is dropped.
std::int64_t whole_ms(core::nanoseconds value) { return std::chrono::floor<core::milliseconds>(value).count(); }

/// Nor be promised a faster detection than there is: a rest counts as one more.
std::int64_t ceil_ms(core::nanoseconds value) { return std::chrono::ceil<core::milliseconds>(value).count(); }

Json clock_json(const core::AgentStatus& status) {
  Json json;
  json["valid"] = status.valid_since.has_value();
  put_moment(json, "valid_since", status.valid_since);
  json["error_bound_ns"] = ns_or_null(status.error_bound);
  json["error_growth_ppm"] = core::kErrorGrowthPpm;
  json["clocksource"] = status.clocksource;
  json["can_set"] = status.can_set_clock;
  json["can_set_why"] = status.can_set_clock_why;
  return json;
}

Json probe_json(const core::ProbeStatus& probe) {
  Json json;
  json["name"] = probe.name;
  json["state"] = to_string(probe.health.state);
  json["why"] = probe.health.why;
  json["last"] = or_null(probe.health.last);
  return json;
}

Json daemon_json(const core::DaemonStatus& daemon) {
  Json json;
  json["unit"] = daemon.unit;
  json["active_state"] = daemon.active_state;
  json["sub_state"] = daemon.sub_state;
  json["invocation_id"] = daemon.invocation_id;
  json["running"] = daemon.running;
  json["synchronising"] = daemon.synchronising;
  json["problem"] = daemon.problem;
  json["action"] = daemon.action;
  json["health"] = daemon.health;
  return json;
}

Json server_json(const core::ServerStatus& server) {
  Json json;
  json["address"] = server.address;
  json["name"] = server.name;
  json["state"] = server.state;
  json["stratum"] = server.stratum;
  json["last"] = or_null(server.last);
  return json;
}

Json counters_json(const core::Counters& counters) {
  Json json;
  for (const CounterName& counter : kCounterNames) json[counter.name] = counters.*counter.member;
  return json;
}

void read_clock(const Json* json, core::AgentStatus& status, std::string& error) {
  if (json == nullptr) return;
  Fields fields(*json, "clock", error);
  if (const auto since = fields.optional_ns("valid_since_realtime_ns")) status.valid_since = core::RealtimePoint(*since);
  if (fields.flag("valid") != status.valid_since.has_value()) fields.fail("valid", "contradicts valid_since");
  status.error_bound = fields.optional_ns("error_bound_ns");
  status.clocksource = fields.text("clocksource");
  status.can_set_clock = fields.flag("can_set");
  status.can_set_clock_why = fields.text("can_set_why");
}

core::ProbeStatus read_probe(const Json& json, std::string& error) {
  core::ProbeStatus probe;
  Fields fields(json, "probes", error);
  probe.name = fields.text("name");
  probe.health.state = fields.name<core::ProbeState>("state");
  probe.health.why = fields.text("why");
  if (const Json* last = fields.optional_object("last")) probe.health.last = read_reading(last, "probes.last", error);
  return probe;
}

core::DaemonStatus read_daemon(const Json& json, std::string& error) {
  core::DaemonStatus daemon;
  Fields fields(json, "daemons", error);
  daemon.unit = fields.text("unit");
  daemon.active_state = fields.text("active_state");
  daemon.sub_state = fields.text("sub_state");
  daemon.invocation_id = fields.text("invocation_id");
  daemon.running = fields.flag("running");
  daemon.synchronising = fields.flag("synchronising");
  daemon.problem = fields.text("problem");
  daemon.action = fields.text("action");
  daemon.health = fields.text("health");
  return daemon;
}

core::ServerStatus read_server(const Json& json, std::string& error) {
  core::ServerStatus server;
  Fields fields(json, "servers", error);
  server.address = fields.text("address");
  server.name = fields.text("name");
  server.state = fields.text("state");
  server.stratum = static_cast<int>(fields.small_count("stratum"));
  if (const Json* last = fields.optional_object("last")) server.last = read_reading(last, "servers.last", error);
  return server;
}

void read_counters(const Json* json, core::Counters& counters, std::string& error) {
  if (json == nullptr) return;
  Fields fields(*json, "counters", error);
  for (const CounterName& counter : kCounterNames) counters.*counter.member = fields.count(counter.name);
}

void read_parts(Fields& fields, core::AgentStatus& status, std::string& error) {
  read_clock(fields.object("clock"), status, error);
  for (const Json& item : fields.array("probes")) status.probes.push_back(read_probe(item, error));
  for (const Json& item : fields.array("daemons")) status.daemons.push_back(read_daemon(item, error));
  for (const Json& item : fields.array("servers")) status.servers.push_back(read_server(item, error));
  read_counters(fields.object("counters"), status.counters, error);
  if (const Json* last = fields.optional_object("last_correction")) status.last = read_report(last, "last_correction", error);
}

core::AgentStatus read_status(const Json& json, std::string& error) {
  core::AgentStatus status;
  Fields fields(json, "", error);
  status.version = fields.text("version");
  status.pid = fields.small_count("pid");
  status.state = fields.name<core::ClockState>("state");
  status.state_reason = fields.text("state_reason");
  status.mode = fields.name<core::Mode>("mode");
  status.sequence = fields.name<core::Sequence>("sequence");
  status.checked_at.realtime = core::RealtimePoint(fields.ns("checked_at_realtime_ns"));
  status.checked_at.monotonic = core::MonotonicPoint(fields.ns("checked_at_monotonic_ns"));
  status.checked_at.raw = core::RawPoint(fields.ns("checked_at_raw_ns"));
  status.checked_at.boottime = core::BoottimePoint(fields.ns("checked_at_boottime_ns"));
  status.checked_at.bracket = fields.ns("checked_at_bracket_ns");
  status.void_after = core::milliseconds(fields.small_count("void_after_ms"));
  status.max_detection_latency = core::milliseconds(fields.small_count("max_detection_latency_ms"));
  status.config_error = fields.text("config_error");
  status.channel = fields.text("channel");
  status.rtc_mode = fields.text("rtc_mode");
  read_parts(fields, status, error);
  return status;
}

}  // namespace

Json to_json(const core::AgentStatus& status) {
  Json json;
  json["schema"] = kStatusSchema;
  json["version"] = status.version;
  json["pid"] = status.pid;
  json["state"] = to_string(status.state);
  json["state_reason"] = status.state_reason;
  json["mode"] = to_string(status.mode);
  json["sequence"] = to_string(status.sequence);
  put_moment(json, "checked_at", status.checked_at.realtime);
  json["checked_at_monotonic_ns"] = status.checked_at.monotonic.time_since_epoch().count();
  json["checked_at_raw_ns"] = status.checked_at.raw.time_since_epoch().count();
  json["checked_at_boottime_ns"] = status.checked_at.boottime.time_since_epoch().count();
  json["checked_at_bracket_ns"] = status.checked_at.bracket.count();
  json["void_after_ms"] = whole_ms(status.void_after);
  json["max_detection_latency_ms"] = ceil_ms(status.max_detection_latency);
  json["clock"] = clock_json(status);
  json["probes"] = Json::array();
  for (const core::ProbeStatus& probe : status.probes) json["probes"].push_back(probe_json(probe));
  json["daemons"] = Json::array();
  for (const core::DaemonStatus& daemon : status.daemons) json["daemons"].push_back(daemon_json(daemon));
  json["servers"] = Json::array();
  for (const core::ServerStatus& server : status.servers) json["servers"].push_back(server_json(server));
  json["channel"] = status.channel;
  json["rtc_mode"] = status.rtc_mode;
  json["config_error"] = status.config_error;
  json["counters"] = counters_json(status.counters);
  json["last_correction"] = or_null(status.last);
  return json;
}

std::string status_pretty(const core::AgentStatus& status) { return dump_pretty(to_json(status)); }

std::string status_line(const core::AgentStatus& status) { return dump_line(to_json(status)); }

core::Result<core::AgentStatus> parse_status(std::string_view text) {
  auto json = parse_bounded(text, kStatusLimits);
  if (!json) return core::Error{core::ErrorCode::invalid, "status: " + json.error().text};
  std::string error;
  Fields head(*json, "", error);
  const std::string schema = head.text("schema");
  if (error.empty() && schema != kStatusSchema) {
    return core::Error{core::ErrorCode::unsupported, "status: schema \"" + shortened(schema) + "\" is not " + kStatusSchema};
  }
  core::AgentStatus status = read_status(*json, error);
  if (!error.empty()) return core::Error{core::ErrorCode::invalid, "status: " + error};
  return status;
}

}  // namespace clockmend::wire
