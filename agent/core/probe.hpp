// One way of seeing that the clock is wrong. A probe observes; it never decides and never changes anything.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/observation.hpp"

namespace clockmend::core {

using ObservationSink = std::function<void(Observation)>;

/// What we did to the clock ourselves, handed to every probe and to the engine as a value.
struct OwnChange {
  enum class What { step, rtc_write };
  What what = What::step;
  Offset amount;  // step: added to CLOCK_REALTIME; rtc_write: the RTC's offset change
  ClockSnapshot after;
};

enum class ProbeState { off, starting, running, degraded };

[[nodiscard]] constexpr const char* to_string(ProbeState s) {
  switch (s) {
    case ProbeState::off:
      return "off";
    case ProbeState::starting:
      return "starting";
    case ProbeState::running:
      return "running";
    case ProbeState::degraded:
      return "degraded";
  }
  return "?";
}

struct ProbeHealth {
  ProbeState state = ProbeState::off;
  std::string why;                    // reason for off/degraded; what it watches otherwise
  std::optional<OffsetReading> last;  // witnesses: the last reading
  /// Witnesses while they run: how long a freeze that nobody announces stays unseen, at most; 0: it does not see them all.
  nanoseconds sees_within{};
};

class Probe {
 public:
  virtual ~Probe() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Begin watching. Observations arrive at `sink` from the event loop, never from inside start().
  virtual void start(ObservationSink sink) = 0;
  /// Something happened: measure now, as exactly as possible. Answers with readings (a coarse one may come first,
  /// even before this returns) or MeasurementFailed. A tripwire without a measurement does nothing.
  virtual void measure_now() = 0;
  /// The same at a moment chosen at random within so much time, for a witness that many machines share.
  virtual void measure_within(nanoseconds /*spread*/) { measure_now(); }
  /// Our own effects, so that the probe never mistakes them for somebody else's.
  virtual void own_change(const OwnChange& change) = 0;
  [[nodiscard]] virtual ProbeHealth health() const = 0;
};

}  // namespace clockmend::core
