// The 48-byte NTPv4 header (RFC 5905 section 7.3). Extension fields and MACs behind it are ignored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "probes/ntp/timestamp.hpp"

namespace clockmend::probes::ntp {

inline constexpr std::size_t kHeaderSize = 48;
inline constexpr int kModeServer = 4;
inline constexpr int kLeapUnsynchronized = 3;

struct Packet {
  int leap = 0;  // 0 none, 1 insert, 2 delete, 3 unsynchronized
  int version = 0;
  int mode = 0;
  int stratum = 0;  // 0: kiss-o'-death
  std::int8_t poll = 0;
  std::int8_t precision = 0;  // log2 seconds
  core::nanoseconds root_delay{};
  core::nanoseconds root_dispersion{};
  std::array<char, 4> refid{};
  Timestamp reference;
  Timestamp origin;    // T1, the request's transmit field sent back
  Timestamp receive;   // T2
  Timestamp transmit;  // T3

  /// The refid as a kiss code ("RATE"): four printable ASCII letters, anything else as '?'.
  [[nodiscard]] std::string kiss_code() const;
};

/// A client request: version 4, mode 3, the transmit field `nonce`, everything else zero. The nonce is random, not a time:
/// a predictable one lets an off-path attacker answer (CVE-2020-13817), and a real one tells the world how wrong we are.
[[nodiscard]] std::array<std::byte, kHeaderSize> encode_request(Timestamp nonce);

/// Nothing if shorter than the header.
[[nodiscard]] std::optional<Packet> decode(std::span<const std::byte> bytes);

}  // namespace clockmend::probes::ntp
