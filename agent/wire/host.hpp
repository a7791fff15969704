// What clockmend-host prints as JSON about guests: one line each, in the form of the channel's replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace clockmend::wire {

/// A guest's clock as seen from the host.
struct Measured {
  std::int64_t offset_ns = 0;  // host - guest; positive: the guest is behind
  std::int64_t error_ns = 0;   // the offset is wrong by at most this
  std::int64_t round_trip_ns = 0;
  std::size_t rounds = 0;
};

/// {"return": {"offset-ns", "error-ns", "round-trip-ns", "rounds"}}
[[nodiscard]] std::string measured_reply(const Measured& measured);

/// `reply` (a line in the form of a reply) with the members "target", "verdict" and "code" in front.
[[nodiscard]] std::string guest_line(std::string_view target, std::string_view verdict, int code, std::string_view reply);

/// How many guests there were, and how many of them ended well.
struct Tally {
  std::size_t guests = 0;
  std::size_t done = 0;
  int code = 0;  // the exit code
};
/// {"summary": {"guests", "done", "failed", "code"}}
[[nodiscard]] std::string summary_line(const Tally& tally);

}  // namespace clockmend::wire
