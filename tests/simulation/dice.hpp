// Random machines and what may happen to them, drawn from one seed.
#pragma once

#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed * 7919) {}
  std::int64_t upto(std::int64_t n) { return static_cast<std::int64_t>(random_.next64() % static_cast<std::uint64_t>(n)); }
  bool one_in(std::int64_t n) { return upto(n) == 0; }
  nanoseconds within(nanoseconds limit) { return nanoseconds(upto(limit.count())); }
  template <class T, std::size_t N>
  const T& of(const T (&table)[N]) {
    return table[static_cast<std::size_t>(upto(N))];
  }

 private:
  fakes::FakeRandom random_;
};

[[nodiscard]] MachineSpec random_machine(Dice& dice);
void random_event(Machine& r, Dice& dice);
/// How far from the truth such a machine may be after everything, given its best witness.
[[nodiscard]] nanoseconds best_bound(const MachineSpec& spec);

}  // namespace clockmend::sim
