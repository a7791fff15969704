#include "agent/host/exchange.hpp"

#include <algorithm>

namespace clockmend::host {

namespace {

// Stamps come from the guest: any int64 is possible, and signed overflow is undefined. The differences are taken modulo
// 2^64; plausible() throws out what wrapped.
std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

constexpr core::nanoseconds kGoodPerRound{150'000};

}  // namespace

core::nanoseconds round_trip(const wire::Quadruple& q) { return core::nanoseconds{minus(minus(q.t4, q.t1), minus(q.t3, q.t2))}; }

core::Offset guest_offset(const wire::Quadruple& q) {
  const std::int64_t out = minus(q.t1, q.t2);
  const std::int64_t back = minus(q.t4, q.t3);
  return {core::nanoseconds{out + minus(back, out) / 2}};
}

bool plausible(const wire::Quadruple& q) {
  // Stamps within the int64 range of 1970..2262 keep every difference above representable.
  const bool in_range = q.t1 > 0 && q.t2 > 0 && q.t3 > 0 && q.t4 > 0;
  return in_range && q.t4 >= q.t1 && q.t3 >= q.t2 && q.t4 - q.t1 >= q.t3 - q.t2;
}

std::optional<wire::Quadruple> best_of(const std::vector<wire::Quadruple>& rounds) {
  const auto best =
      std::min_element(rounds.begin(), rounds.end(), [](const auto& a, const auto& b) { return round_trip(a) < round_trip(b); });
  if (best == rounds.end()) return std::nullopt;
  return *best;
}

bool enough(const std::vector<wire::Quadruple>& rounds) {
  if (rounds.size() >= kExchangeRounds) return true;
  if (rounds.size() < 2) return false;
  const auto best = best_of(rounds);
  return round_trip(*best) <= kGoodPerRound * (rounds.size() - 1);
}

}  // namespace clockmend::host
