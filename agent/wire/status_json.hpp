// Private to this room: status as a JSON value, and the names of its counters (one list for both directions).
#pragma once

#include <array>
#include <cstdint>

#include "agent/core/status.hpp"
#include "agent/wire/json.hpp"

namespace clockmend::wire {

[[nodiscard]] Json to_json(const core::AgentStatus& status);

struct CounterName {
  const char* name;
  std::uint64_t core::Counters::*member;
};

inline constexpr std::array<CounterName, 11> kCounterNames{{
    {"discontinuities", &core::Counters::discontinuities},
    {"corrections", &core::Counters::corrections},
    {"steps", &core::Counters::steps},
    {"no_actions", &core::Counters::no_actions},
    {"refusals", &core::Counters::refusals},
    {"failures", &core::Counters::failures},
    {"notices", &core::Counters::notices},
    {"notices_dropped", &core::Counters::notices_dropped},
    {"notices_coalesced", &core::Counters::notices_coalesced},
    {"bad_lines", &core::Counters::bad_lines},
    {"foreign_steps", &core::Counters::foreign_steps},
}};
static_assert(sizeof(core::Counters) == kCounterNames.size() * sizeof(std::uint64_t), "a counter is missing in kCounterNames");

}  // namespace clockmend::wire
