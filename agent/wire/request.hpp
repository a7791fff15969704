// The channel's requests as values, and both directions of their text. One request is one line of JSON:
//   {"execute": NAME, "arguments": {...}, "id": ANY}
// in the convention of the QEMU guest agent (qemu docs/interop/qemu-ga-ref). No I/O here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/core/notice.hpp"
#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::wire {

inline constexpr std::size_t kMaxRequestLine = 4096;  // bytes, without the newline
inline constexpr std::size_t kMaxReply = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxQuadruples = 16;

/// One round of clock-exchange, CLOCK_REALTIME nanoseconds: t1 and t4 on the host (sent, answer received), t2 and t3 in the
/// guest (received, answered).
struct Quadruple {
  std::int64_t t1 = 0;
  std::int64_t t2 = 0;
  std::int64_t t3 = 0;
  std::int64_t t4 = 0;
  friend bool operator==(const Quadruple&, const Quadruple&) = default;
};

struct GuestSync {
  std::int64_t id = 0;
};
struct GuestSyncDelimited {
  std::int64_t id = 0;
};
struct GuestPing {};
struct GuestInfo {};
struct GuestGetTime {};
/// Without a time: "measure yourself" (the QEMU guest agent would read the RTC).
struct GuestSetTime {
  std::optional<core::nanoseconds> time;
};

struct ClockNotify {
  core::NoticeEvent event = core::NoticeEvent::resumed;
  std::string id;                             // unique per notice; empty: none given
  std::string epoch;                          // names the life of the VM on one host; empty: none given
  std::optional<core::RealtimePoint> sent;    // host's clock when the line was written
  std::optional<core::milliseconds> max_age;  // absent: the configured one
  bool wait = false;                          // answer with the report instead of an acknowledgement
  std::vector<Quadruple> exchange;            // at most kMaxQuadruples
};
struct ClockExchange {
  std::int64_t t1 = 0;
};
struct ClockStatus {};
struct ClockResync {
  bool dry_run = false;
  bool force = false;
  bool wait = true;
  std::optional<core::StepBackend> backend{};
};
struct ClockHistory {
  std::size_t limit = 20;  // 1..200
  std::optional<std::uint64_t> before;
};

using Request = std::variant<GuestSync, GuestSyncDelimited, GuestPing, GuestInfo, GuestGetTime, GuestSetTime, ClockNotify, ClockExchange,
                             ClockStatus, ClockResync, ClockHistory>;

/// "guest-sync", "clock-notify", ...
[[nodiscard]] std::string_view verb_of(const Request& request);
/// All verbs, in the order of Request's alternatives.
[[nodiscard]] const std::vector<std::string_view>& all_verbs();

/// GenericError and CommandNotFound are QAPI's; the others are used by clock-* verbs only.
enum class ErrorClass { generic, command_not_found, timeout, not_permitted, rate_limited };
[[nodiscard]] const char* to_string(ErrorClass c);

struct RequestError {
  ErrorClass error_class = ErrorClass::generic;
  std::string text;
};

struct ParsedRequest {
  std::string id_json;  // the request's `id` as JSON text, to be echoed; empty: none
  std::variant<Request, RequestError> request;
};

/// One line without its newline. Never throws, never allocates more than a small multiple of kMaxRequestLine.
[[nodiscard]] ParsedRequest parse_request(std::string_view line);

/// The host's direction: one line without a newline. `id_json` as in ParsedRequest.
[[nodiscard]] std::string request_text(const Request& request, std::string_view id_json = {});

}  // namespace clockmend::wire
