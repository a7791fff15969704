// The vmclock page as the hypervisor may fill it, and the time that is read from it.
// Input: how much of the page could be read, the counter, the clocks, the page.
#include "agent/os/vmclock_layout.hpp"
#include "probes/vmclock_time.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace core = clockmend::core;
using clockmend::fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  const auto flags = in.byte();
  const auto counter = in.number(8);
  // What CLOCK_REALTIME can be: 1970 to 2262.
  const core::nanoseconds realtime{static_cast<std::int64_t>(in.number(8) >> 1U)};
  const core::nanoseconds bracket{static_cast<std::int64_t>(in.number(2))};
  auto page = clockmend::os::decode_vmclock(in.rest());
  if (!page) {
    must(!page.error().text.empty(), "what is no vmclock page has a reason");
    return 0;
  }
  if ((flags & 1U) != 0) page->counter_now = (flags & 2U) != 0 ? page->counter_value + counter % 100'000'000'000U : counter;
  page->at.realtime = core::RealtimePoint{realtime};
  page->at.bracket = bracket;
  const auto tells = clockmend::probes::vmclock_tells_time(*page);
  const auto reading = clockmend::probes::vmclock_reading(*page);
  (void)clockmend::probes::vmclock_status(*page);
  if (reading) {
    must(static_cast<bool>(tells), "only a page that tells the time is read");
    must(page->counter_now.has_value() && page->has_time, "only a page with a counter is read");
    must(reading->uncertainty >= core::nanoseconds::zero(), "a bound is not negative");
    const auto told = page->at.realtime.time_since_epoch() / 2 + reading->offset.value / 2;  // halves: no overflow here
    must(told >= core::seconds{0}, "a page does not tell a time before 1970");
  } else {
    must(!reading.error().text.empty(), "what cannot be read has a reason");
  }
  return 0;
}
