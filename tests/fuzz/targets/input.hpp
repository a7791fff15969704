// The fuzzer's bytes, taken apart, and how a target says that a promise was broken.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace clockmend::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  /// Zero when nothing is left, so that every input means something.
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  /// Big-endian, `width` bytes.
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8U | byte();
    return value;
  }
  std::span<const std::byte> rest() { return std::as_bytes(take(bytes_.size())); }
  std::span<const std::byte> some(std::size_t n) { return std::as_bytes(take(std::min(n, bytes_.size()))); }
  std::string_view text() {
    const auto all = take(bytes_.size());
    return {reinterpret_cast<const char*>(all.data()), all.size()};
  }
  /// Up to the next `separator`, which is dropped.
  std::string_view text_until(char separator) {
    const auto found = std::find(bytes_.begin(), bytes_.end(), static_cast<std::uint8_t>(separator));
    const auto part = take(static_cast<std::size_t>(found - bytes_.begin()));
    if (!bytes_.empty()) bytes_ = bytes_.subspan(1);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

 private:
  std::span<const std::uint8_t> take(std::size_t n) {
    const auto part = bytes_.first(n);
    bytes_ = bytes_.subspan(n);
    return part;
  }

  std::span<const std::uint8_t> bytes_;
};

/// A crash is the only thing a fuzzer understands.
inline void must(bool held, const char* promise, std::string_view about = {}) {
  if (held) return;
  std::fprintf(stderr, "broken promise: %s: %.*s\n", promise, static_cast<int>(std::min<std::size_t>(about.size(), 2000)), about.data());
  std::abort();
}

/// Text for a terminal: no control characters but the newline, so no escape sequences (C1 controls are C2 80..9F in UTF-8).
inline void must_be_harmless(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xc2U && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0U;
    must((c >= 0x20U || c == '\n') && c != 0x7fU && !c1, "no control characters reach a terminal", text);
  }
}

}  // namespace clockmend::fuzz
