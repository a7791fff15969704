// The one sign convention of the project (RFC 5905 theta):
// offset = reference time - system time. Positive: the system clock is behind; applying +offset corrects it.
#pragma once

#include <compare>

#include "agent/core/time.hpp"

namespace clockmend::core {

struct Offset {
  nanoseconds value{};

  friend constexpr auto operator<=>(const Offset&, const Offset&) = default;
  friend constexpr Offset operator+(Offset a, Offset b) { return {a.value + b.value}; }
  friend constexpr Offset operator-(Offset a, Offset b) { return {a.value - b.value}; }
  friend constexpr Offset operator-(Offset a) { return {-a.value}; }
};

[[nodiscard]] constexpr nanoseconds magnitude(Offset o) { return o.value < nanoseconds::zero() ? -o.value : o.value; }

/// A closed interval of offsets: the truth lies inside if the reading's stated error holds.
struct OffsetInterval {
  Offset low;
  Offset high;

  [[nodiscard]] constexpr bool contains(Offset o) const { return low <= o && o <= high; }
  [[nodiscard]] constexpr bool overlaps(const OffsetInterval& b) const { return low <= b.high && b.low <= high; }
  [[nodiscard]] constexpr Offset middle() const { return {low.value + (high.value - low.value) / 2}; }
  [[nodiscard]] constexpr nanoseconds half_width() const { return (high.value - low.value) / 2; }
  /// The smallest |offset| inside the interval: what is proved to be wrong at least.
  [[nodiscard]] constexpr nanoseconds least_magnitude() const {
    if (low.value > nanoseconds::zero()) return low.value;
    if (high.value < nanoseconds::zero()) return -high.value;
    return nanoseconds::zero();
  }
  /// The largest |offset| inside the interval: what is possibly wrong at most.
  [[nodiscard]] constexpr nanoseconds greatest_magnitude() const {
    return magnitude(low) > magnitude(high) ? magnitude(low) : magnitude(high);
  }
};

[[nodiscard]] constexpr OffsetInterval interval_around(Offset middle, nanoseconds half_width) {
  return {{middle.value - half_width}, {middle.value + half_width}};
}

}  // namespace clockmend::core
