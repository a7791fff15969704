// Private to this room: the parts that reports and status are made of, both directions.
#pragma once

#include <optional>
#include <string>

#include "agent/core/discontinuity.hpp"
#include "agent/core/report.hpp"
#include "agent/wire/fields.hpp"
#include "agent/wire/json.hpp"

namespace clockmend::wire {

[[nodiscard]] Json to_json(const core::ClockSnapshot& value);
[[nodiscard]] Json to_json(const core::OffsetReading& value);
[[nodiscard]] Json to_json(const core::HostNotice& value);
[[nodiscard]] Json to_json(const core::Discontinuity& value);
[[nodiscard]] Json to_json(const core::Estimate& value);
[[nodiscard]] Json to_json(const core::CorrectionReport& value);

template <typename T>
[[nodiscard]] Json or_null(const std::optional<T>& value) {
  return value ? to_json(*value) : Json();
}
[[nodiscard]] inline Json ns_or_null(const std::optional<core::nanoseconds>& value) { return value ? Json(value->count()) : Json(); }
[[nodiscard]] inline Json ns_or_null(const std::optional<core::Offset>& value) { return value ? Json(value->value.count()) : Json(); }
/// NAME (ISO 8601) and NAME_realtime_ns, null while absent.
void put_moment(Json& object, const std::string& name, const std::optional<core::RealtimePoint>& moment);

// Readers: `json` may be nullptr (after an error); `error` as in Fields.
[[nodiscard]] core::ClockSnapshot read_snapshot(const Json* json, const std::string& where, std::string& error);
[[nodiscard]] core::OffsetReading read_reading(const Json* json, const std::string& where, std::string& error);
[[nodiscard]] core::CorrectionReport read_report(const Json* json, const std::string& where, std::string& error);
[[nodiscard]] core::Discontinuity read_discontinuity(const Json* json, const std::string& where, std::string& error);

}  // namespace clockmend::wire
