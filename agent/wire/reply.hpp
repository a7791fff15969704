// The channel's answers: {"return": VALUE, "id": ID} or {"error": {"class": C, "desc": TEXT}, "id": ID}, one line each,
// both directions. Builders return the line without its newline.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/report.hpp"
#include "agent/core/result.hpp"
#include "agent/core/status.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::wire {

/// What became of a notice.
///   accepted:  handed to the agent
///   deferred:  too many notices; the newest is kept and handed over when the rate allows
///   repeated:  this id (or, without an id, this epoch and event) was seen just now; nothing done
///   stale:     older than max-age, proved by the exchange; nothing done
///   dropped:   a `pausing` too many; nothing done
enum class Disposition { accepted, deferred, repeated, stale, dropped };
[[nodiscard]] const char* to_string(Disposition d);

/// What of the host's time was believed.
///   none: nothing given, or nothing usable; bound: `sent` proves only that it is not earlier; exchange: four stamps;
///   stamp: the time of guest-set-time, with its large uncertainty
enum class HostTime { none, bound, exchange, stamp };
[[nodiscard]] const char* to_string(HostTime t);

struct NotifyReply {
  std::string id;
  Disposition disposition = Disposition::accepted;
  HostTime host_time = HostTime::none;
  std::string note;                              // why host time was not used, and the like; for a human
  std::optional<core::CorrectionReport> report;  // wait: true only
};

struct ExchangeReply {
  std::int64_t t2 = 0;  // CLOCK_REALTIME ns of the guest
  std::int64_t t3 = 0;
};

struct HistoryPage {
  std::vector<core::CorrectionReport> records;  // newest first
  std::optional<std::uint64_t> next_before;     // more records: ask again with before = this
  std::uint64_t damaged = 0;                    // lines that could not be read
};

// The agent's direction.
[[nodiscard]] std::string error_reply(ErrorClass c, std::string_view text, std::string_view id_json);
[[nodiscard]] std::string empty_reply(std::string_view id_json);
[[nodiscard]] std::string integer_reply(std::int64_t value, std::string_view id_json);
[[nodiscard]] std::string info_reply(std::string_view version, const std::vector<std::string>& disabled, std::string_view id_json);
[[nodiscard]] std::string exchange_reply(const ExchangeReply& reply, std::string_view id_json);
[[nodiscard]] std::string notify_reply(const NotifyReply& reply, std::string_view id_json);
/// An error reply where the status would exceed kMaxReply.
[[nodiscard]] std::string status_reply(const core::AgentStatus& status, std::string_view id_json);
/// `lines`: history records newest first. Takes as many as fit into kMaxReply; `more` tells that older ones exist beyond them.
[[nodiscard]] std::string history_reply(const std::vector<std::string>& lines, bool more, std::string_view id_json);

// The host's direction.
struct Reply {
  std::string id_json;                // empty: none
  std::optional<RequestError> error;  // set: the agent refused; `value_json` is empty then
  std::string value_json;             // what stood at "return"
};
/// A line of at most kMaxReply bytes; a leading 0xFF (guest-sync-delimited) is skipped.
[[nodiscard]] core::Result<Reply> parse_reply(std::string_view line);
[[nodiscard]] core::Result<std::int64_t> parse_integer(std::string_view value_json);
[[nodiscard]] core::Result<ExchangeReply> parse_exchange_reply(std::string_view value_json);
[[nodiscard]] core::Result<NotifyReply> parse_notify_reply(std::string_view value_json);
[[nodiscard]] core::Result<HistoryPage> parse_history_page(std::string_view value_json);

}  // namespace clockmend::wire
