#include "agent/wire/journal_line.hpp"

#include "agent/wire/fields.hpp"
#include "agent/wire/json.hpp"
#include "agent/wire/values.hpp"

namespace clockmend::wire {
namespace {

constexpr JsonLimits kJournalLimits{4096, 4, 8, 128};
constexpr std::size_t kMaxRecords = 1000;

}  // namespace

std::string journal_line(const core::JournalRecord& record) {
  Json json;
  json["state"] = to_string(record.state);
  json["correction"] = record.correction;
  json["units"] = Json::array();
  for (const core::JournalUnit& unit : record.units) {
    Json item;
    item["unit"] = unit.unit;
    item["invocation_id"] = unit.invocation_id;
    json["units"].push_back(std::move(item));
  }
  json["offset_ns"] = ns_or_null(record.offset);
  if (!record.tool.empty()) json["tool"] = record.tool;
  json["boot_id"] = record.boot_id;
  if (record.realtime_minus_monotonic) json["realtime_minus_monotonic_ns"] = record.realtime_minus_monotonic->count();
  return dump_line(json);
}

core::Result<core::JournalRecord> parse_journal_line(std::string_view line) {
  auto json = parse_bounded(line, kJournalLimits);
  if (!json) return core::Error{core::ErrorCode::invalid, "journal: " + json.error().text};
  std::string error;
  core::JournalRecord record;
  Fields fields(*json, "", error);
  record.state = fields.name<core::JournalState>("state");
  record.correction = fields.count("correction");
  for (const Json& item : fields.array("units")) {
    Fields unit(item, "units", error);
    record.units.push_back({unit.text("unit"), unit.text("invocation_id")});
    unit.reject_unknown();
  }
  if (error.empty() && !json->contains("offset_ns")) fields.fail("offset_ns", "is missing");
  if (const auto offset = fields.optional_ns("offset_ns")) record.offset = core::Offset{*offset};
  if (fields.has("tool")) record.tool = fields.text("tool");
  record.boot_id = fields.text("boot_id");
  record.realtime_minus_monotonic = fields.optional_ns("realtime_minus_monotonic_ns");
  fields.reject_unknown();
  if (!error.empty()) return core::Error{core::ErrorCode::invalid, "journal: " + error};
  return record;
}

Journal parse_journal(std::string_view text) {
  Journal journal;
  while (!text.empty() && journal.records.size() < kMaxRecords) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const bool complete = end != std::string_view::npos;
    text.remove_prefix(complete ? end + 1 : text.size());
    if (line.empty()) continue;
    auto record = parse_journal_line(line);
    if (record) {
      journal.records.push_back(std::move(*record));
    } else if (!complete) {
      journal.torn_tail = true;
    } else {
      ++journal.damaged;
    }
  }
  return journal;
}

}  // namespace clockmend::wire
