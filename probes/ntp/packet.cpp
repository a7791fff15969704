#include "probes/ntp/packet.hpp"

namespace clockmend::probes::ntp {

namespace {

// Offsets of the fields, RFC 5905 figure 8.
constexpr std::size_t kStratum = 1;
constexpr std::size_t kPoll = 2;
constexpr std::size_t kPrecision = 3;
constexpr std::size_t kRootDelay = 4;
constexpr std::size_t kRootDispersion = 8;
constexpr std::size_t kRefid = 12;
constexpr std::size_t kReference = 16;
constexpr std::size_t kOrigin = 24;
constexpr std::size_t kReceive = 32;
constexpr std::size_t kTransmit = 40;

// LI 0, VN 4, mode 3 (client).
constexpr std::byte kClientVersion4{0x23};

std::uint64_t big_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (const auto byte : bytes.subspan(at, width)) value = value << 8U | std::to_integer<std::uint64_t>(byte);
  return value;
}

std::uint32_t word(std::span<const std::byte> bytes, std::size_t at) { return static_cast<std::uint32_t>(big_endian(bytes, at, 4)); }

Timestamp stamp(std::span<const std::byte> bytes, std::size_t at) { return {big_endian(bytes, at, 8)}; }

std::int8_t signed_byte(std::byte b) { return static_cast<std::int8_t>(std::to_integer<std::uint8_t>(b)); }

}  // namespace

std::string Packet::kiss_code() const {
  std::string code;
  for (const char c : refid) code += c > ' ' && c <= '~' ? c : '?';
  return code;
}

std::array<std::byte, kHeaderSize> encode_request(Timestamp nonce) {
  std::array<std::byte, kHeaderSize> bytes{};
  bytes[0] = kClientVersion4;
  for (std::size_t i = 0; i < 8; ++i) bytes[kTransmit + i] = static_cast<std::byte>(nonce.value >> (8 * (7 - i)));
  return bytes;
}

std::optional<Packet> decode(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderSize) return std::nullopt;
  const auto first = std::to_integer<unsigned>(bytes[0]);
  Packet p;
  p.leap = static_cast<int>(first >> 6U);
  p.version = static_cast<int>(first >> 3U & 7U);
  p.mode = static_cast<int>(first & 7U);
  p.stratum = std::to_integer<int>(bytes[kStratum]);
  p.poll = signed_byte(bytes[kPoll]);
  p.precision = signed_byte(bytes[kPrecision]);
  p.root_delay = short_to_ns(word(bytes, kRootDelay));
  p.root_dispersion = short_to_ns(word(bytes, kRootDispersion));
  for (std::size_t i = 0; i < p.refid.size(); ++i) p.refid[i] = static_cast<char>(std::to_integer<unsigned char>(bytes[kRefid + i]));
  p.reference = stamp(bytes, kReference);
  p.origin = stamp(bytes, kOrigin);
  p.receive = stamp(bytes, kReceive);
  p.transmit = stamp(bytes, kTransmit);
  return p;
}

}  // namespace clockmend::probes::ntp
