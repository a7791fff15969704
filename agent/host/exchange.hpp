// The four-stamp exchange as arithmetic (RFC 5905 section 8 with the host as server). No I/O, no clock.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "agent/core/offset.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::host {

/// More rounds only help while the round trip still shrinks; the guest accepts wire::kMaxQuadruples.
inline constexpr std::size_t kExchangeRounds = 8;

/// Time on the way, both directions: (t4 - t1) - (t3 - t2).
[[nodiscard]] core::nanoseconds round_trip(const wire::Quadruple& q);
/// Host's clock - guest's clock; positive: the guest is behind. Wrong by at most half the round trip.
[[nodiscard]] core::Offset guest_offset(const wire::Quadruple& q);
/// Both clocks went forward within the round and the guest did not claim more time than passed here.
[[nodiscard]] bool plausible(const wire::Quadruple& q);
/// The round with the smallest round trip; nothing for an empty list.
[[nodiscard]] std::optional<wire::Quadruple> best_of(const std::vector<wire::Quadruple>& rounds);
/// Good enough to stop: the first round is slow (cold caches, a guest that just woke), so what counts as good grows with
/// every further round.
[[nodiscard]] bool enough(const std::vector<wire::Quadruple>& rounds);

}  // namespace clockmend::host
