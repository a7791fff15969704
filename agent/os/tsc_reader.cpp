#include "agent/os/tsc_reader.hpp"

#include "agent/os/tsc_counter.hpp"

namespace clockmend::os {
namespace {

// As in clock_reader.cpp: a wide bracket means that we were preempted inside it.
constexpr int kTries = 4;
constexpr core::nanoseconds kTight = core::microseconds{5};

}  // namespace

LinuxTsc::LinuxTsc(const std::string& root) : usable_(tsc_usable(root)), emulated_(hypervisor_signature() == "TCGTCGTCGTCG") {}

core::Result<core::TscReading> LinuxTsc::read() {
  if (!usable_) return usable_.error();
  CounterAndClocks best = read_counter_and_clocks(true);
  for (int i = 1; i < kTries && best.at.bracket > kTight; ++i) {
    const CounterAndClocks next = read_counter_and_clocks(true);
    if (next.at.bracket < best.at.bracket) best = next;
  }
  return core::TscReading{best.ticks.value_or(0), best.at};
}

}  // namespace clockmend::os
