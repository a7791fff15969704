// A scripted NTP server: what it answers, written byte by byte from RFC 5905 section 7.3, independent of the codec under test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::fakes {

using Bytes = std::vector<std::byte>;

/// NTP timestamp: 32.32 seconds since 1900, era dropped.
inline std::uint64_t ntp_stamp(core::RealtimePoint t) {
  const auto since = t.time_since_epoch();
  const auto whole = std::chrono::floor<core::seconds>(since);
  const auto ns = static_cast<std::uint64_t>((since - whole).count());
  const auto secs = static_cast<std::uint64_t>(whole.count() + 2'208'988'800) & 0xFFFFFFFFU;
  return (secs << 32U) | ((ns << 32U) / 1'000'000'000U);
}
/// NTP short format: 16.16 seconds.
inline std::uint32_t ntp_short(core::nanoseconds d) { return static_cast<std::uint32_t>(d.count() * 65536 / 1'000'000'000); }

inline void put_be(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes.at(at + i) = static_cast<std::byte>(value >> (8 * (width - 1 - i)));
}
inline std::uint64_t get_be(const Bytes& bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8U | std::to_integer<std::uint64_t>(bytes.at(at + i));
  return value;
}

struct NtpServerScript {
  // The path: one-way delays; unequal ones are an asymmetry the client cannot see.
  core::nanoseconds out{core::milliseconds{1}};
  core::nanoseconds back{core::milliseconds{1}};
  core::nanoseconds processing{core::microseconds{20}};
  // The server's clock minus the true time: not zero for a liar.
  core::nanoseconds error{};
  // Header fields.
  int leap = 0;
  int version = 4;
  int mode = 4;
  int stratum = 2;
  int poll = 6;
  int precision = -24;
  core::nanoseconds root_delay{};
  core::nanoseconds root_dispersion{};
  std::string refid = "GPS";  // KoD code when stratum is 0
  // Behaviour.
  bool dead = false;                // never answers
  unsigned drop_first = 0;          // ignores so many requests, then answers
  std::optional<core::Error> icmp;  // answers with an ICMP error instead
  unsigned copies = 1;              // 2: every reply is replayed once
  core::nanoseconds copy_gap{core::milliseconds{1}};
  bool truncated = false;   // the receiver is told MSG_TRUNC
  std::size_t length = 48;  // bytes sent: cut or padded with zeros
  /// Called before each request: jitter, loss, a clock that wanders.
  std::function<void(NtpServerScript&)> before;
  /// Last word on the reply, for everything else: wrong origin, zero timestamps, garbage.
  std::function<void(Bytes& reply)> tamper;
  /// Sent before the real reply, `bogus_after` after the request: an off-path attacker's guess.
  std::function<Bytes(const Bytes& request)> bogus;
  core::nanoseconds bogus_after{core::microseconds{100}};
};

/// The reply to `request` received at the true time `arrival`.
inline Bytes ntp_reply(const NtpServerScript& s, const Bytes& request, core::RealtimePoint arrival) {
  Bytes r(48, std::byte{0});
  put_be(r, 0, static_cast<std::uint64_t>((s.leap & 3) << 6 | (s.version & 7) << 3 | (s.mode & 7)), 1);
  put_be(r, 1, static_cast<std::uint64_t>(s.stratum), 1);
  put_be(r, 2, static_cast<std::uint64_t>(s.poll), 1);
  put_be(r, 3, static_cast<std::uint64_t>(s.precision) & 0xFFU, 1);
  put_be(r, 4, ntp_short(s.root_delay), 4);
  put_be(r, 8, ntp_short(s.root_dispersion), 4);
  for (std::size_t i = 0; i < 4 && i < s.refid.size(); ++i) r[12 + i] = static_cast<std::byte>(s.refid[i]);
  put_be(r, 16, ntp_stamp(arrival + s.error - core::seconds{30}), 8);
  if (request.size() >= 48) put_be(r, 24, get_be(request, 40, 8), 8);
  put_be(r, 32, ntp_stamp(arrival + s.error), 8);
  put_be(r, 40, ntp_stamp(arrival + s.error + s.processing), 8);
  if (s.tamper) s.tamper(r);
  if (s.length != 48) r.resize(s.length, std::byte{0});
  return r;
}

}  // namespace clockmend::fakes
