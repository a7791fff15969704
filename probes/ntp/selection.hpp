// Which servers tell the truth: the largest group whose intervals share a point (RFC 5905 section 11.2.1, Marzullo).
#pragma once

#include <string>
#include <vector>

#include "probes/ntp/sample.hpp"

namespace clockmend::probes::ntp {

struct Candidate {
  std::string name;  // address, for the reason
  Sample sample;
};

struct Selection {
  /// One answer, or a strict majority of several agrees. Otherwise nothing below `reason` but the counts may be used.
  bool usable = false;
  core::Offset offset;
  core::nanoseconds uncertainty{};
  unsigned agreeing = 0;
  unsigned answered = 0;
  std::vector<bool> truechimer;  // by candidate: inside the agreeing group
  core::ClockSnapshot at;        // arrival of the newest agreeing sample
  std::string reason;            // who disagrees and by how much; empty if nobody does
};

/// Pure; at most one candidate per server. A sample older than the newest is widened by the drift it may have seen.
///
/// offset: the members' offsets weighted by 1/uncertainty, kept inside the intersection. uncertainty: the distance to the far
/// end of the intersection, where the truth may be, but never less than the best member's own: a liar that clips the honest
/// intervals must not make the result look exact. Where several groups of the same size overlap in different places, the result
/// spans them all.
[[nodiscard]] Selection select(const std::vector<Candidate>& candidates);

}  // namespace clockmend::probes::ntp
