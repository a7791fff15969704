#include "probes/clock_divergence.hpp"

#include <utility>

namespace clockmend::probes {

void ClockDivergenceProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  const core::Status watching = watch_.start([this] { measure_now(); });
  state_ = watching ? core::ProbeState::running : core::ProbeState::degraded;
  // Without the watch a step is still seen, when the next snapshot for another reason is compared.
  why_ = watching ? "watching for anybody setting the clock" : "clock sets are seen late: " + watching.error().text;
}

void ClockDivergenceProbe::measure_now() {
  if (sink_) sink_(core::ClocksCompared{clock_.snapshot()});
}

}  // namespace clockmend::probes
