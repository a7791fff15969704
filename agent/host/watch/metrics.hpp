// What `watch` has done, as a Prometheus textfile. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "agent/core/report.hpp"
#include "agent/core/time.hpp"
#include "agent/host/verdict.hpp"

namespace clockmend::host {

struct Metrics {
  std::size_t guests = 0;  // active, with the port
  bool connected = false;
  std::uint64_t connections = 0;                   // to libvirt, since the start
  std::uint64_t events = 0;                        // of libvirt, of whatever kind
  std::map<Verdict, std::uint64_t> notices;        // how each attempt to tell a guest ended
  std::map<core::Outcome, std::uint64_t> reports;  // what the guests then reported
  std::uint64_t unreported = 0;                    // told, but no report was found
  std::uint64_t right_count = 0;                   // corrections with a step
  double right_sum_s = 0.0;                        // from libvirt's event to the guest's last step
  double right_last_s = 0.0;
};

/// From the event to the guest's last step: the guest detects at the latest when it is told.
[[nodiscard]] core::nanoseconds time_to_right(core::nanoseconds until_told, const core::CorrectionReport& report);
/// Counts a report.
void add_report(Metrics& metrics, const core::CorrectionReport& report, core::nanoseconds until_told);
[[nodiscard]] std::string metrics_text(const Metrics& metrics);

}  // namespace clockmend::host
