#include "probes/ntp/address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

namespace clockmend::probes::ntp {

namespace {

using Bytes4 = std::array<std::uint8_t, 4>;
using Bytes16 = std::array<std::uint8_t, 16>;

std::optional<unsigned> number(std::string_view text, int base, std::size_t max_digits, unsigned max) {
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<Bytes4> parse_v4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  Bytes4 out{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto n = number(parts[i], 10, 3, 255);
    if (!n) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(*n);
  }
  return out;
}

/// The 16-bit groups of one side of "::", with a trailing dotted quad as two groups.
std::optional<std::vector<std::uint8_t>> parse_groups(std::string_view text) {
  std::vector<std::uint8_t> out;
  if (text.empty()) return out;
  const auto parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(parts[i]);
      if (!v4) return std::nullopt;
      out.insert(out.end(), v4->begin(), v4->end());
      continue;
    }
    const auto n = number(parts[i], 16, 4, 0xFFFF);
    if (!n) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(*n >> 8U));
    out.push_back(static_cast<std::uint8_t>(*n & 0xFFU));
  }
  return out;
}

std::optional<Bytes16> parse_v6(std::string_view text) {
  const auto gap = text.find("::");
  const auto head = parse_groups(text.substr(0, gap));
  const auto tail = gap == std::string_view::npos ? parse_groups("") : parse_groups(text.substr(gap + 2));
  if (!head || !tail) return std::nullopt;
  const auto given = head->size() + tail->size();
  if (gap == std::string_view::npos ? given != 16 : given > 14) return std::nullopt;
  Bytes16 out{};
  std::copy(head->begin(), head->end(), out.begin());
  std::copy(tail->begin(), tail->end(), out.end() - static_cast<std::ptrdiff_t>(tail->size()));
  return out;
}

template <typename Bytes>
std::string hex(const Bytes& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto b : bytes) {
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
  return out;
}

std::optional<Bytes4> mapped_v4(const Bytes16& b) {
  const bool mapped = std::all_of(b.begin(), b.begin() + 10, [](auto x) { return x == 0; }) && b[10] == 0xFF && b[11] == 0xFF;
  if (!mapped) return std::nullopt;
  return Bytes4{b[12], b[13], b[14], b[15]};
}

bool askable(const Bytes4& b) { return b[0] != 0 && b[0] < 224 && !(b[0] == 127 && b[1] == 127); }

}  // namespace

std::optional<std::string> canonical_address(std::string_view text) {
  if (const auto v4 = parse_v4(text)) return hex(*v4);
  const auto percent = text.find('%');
  const auto v6 = parse_v6(text.substr(0, percent));
  if (!v6) return std::nullopt;
  const auto scope = percent == std::string_view::npos ? std::string_view{} : text.substr(percent);
  // An interface's name: printable, no blank or slash, at most 15 characters (IFNAMSIZ).
  if (scope.size() > 16 || std::any_of(scope.begin(), scope.end(), [](char c) { return c <= ' ' || c > '~' || c == '/'; }))
    return std::nullopt;
  if (const auto v4 = mapped_v4(*v6)) return hex(*v4);
  return hex(*v6) + std::string(scope);
}

bool can_be_asked(std::string_view numeric) {
  if (const auto v4 = parse_v4(numeric)) return askable(*v4);
  const auto v6 = parse_v6(numeric.substr(0, numeric.find('%')));
  if (!v6) return false;
  if (const auto v4 = mapped_v4(*v6)) return askable(*v4);
  const bool unspecified = std::all_of(v6->begin(), v6->end(), [](auto x) { return x == 0; });
  return !unspecified && v6->front() != 0xFF;
}

bool is_reference_clock(std::string_view text) {
  const auto v4 = parse_v4(text);
  return v4 && (*v4)[0] == 127 && (*v4)[1] == 127;
}

bool is_host_text(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  if (canonical_address(text)) return true;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  // A leading '-' would be an option; only digits and dots would be a broken address, not a name.
  if (text.front() == '-' || text.front() == '.') return false;
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace clockmend::probes::ntp
