#include "agent/host/words.hpp"

#include "agent/wire/text.hpp"

namespace clockmend::host {

namespace {

std::string what_happened(const core::CorrectionReport& r) {
  const std::string reason = r.reason.empty() ? "" : ": " + r.reason;
  switch (r.outcome) {
    case core::Outcome::corrected:
      if (r.total.value == core::nanoseconds::zero()) return "Corrected without a step" + reason + ".";
      return "The clock was " + in_words(r.total) + "; corrected in " + wire::human(r.duration, false) + ".";
    case core::Outcome::no_action:
      return "Nothing to do" + reason + ".";
    case core::Outcome::observed:
      return "Only observed, as configured" + reason + ".";
    case core::Outcome::refused:
      return "Refused" + reason + ".";
    case core::Outcome::failed:
      return "Failed" + reason + ".";
  }
  return "?";
}

std::string belief(const core::CorrectionReport& r) {
  const bool left_alone = r.outcome == core::Outcome::observed || r.outcome == core::Outcome::refused;
  if (!left_alone || !r.estimate) return "";
  return " The clock is believed to be " + in_words(r.estimate->offset) + " (+- " + wire::human(r.estimate->uncertainty, false) + ").";
}

std::string proof(const core::CorrectionReport& r) {
  if (r.outcome != core::Outcome::corrected) return "";
  if (!r.residual) return r.verified ? " Verified." : " Not verified.";
  const std::string error = r.residual_uncertainty ? " +- " + wire::human(*r.residual_uncertainty, false) : "";
  return std::string{r.verified ? " Verified: now " : " Not verified: last seen "} + in_words(*r.residual) + error + ".";
}

}  // namespace

std::string in_words(core::Offset offset) {
  if (offset.value == core::nanoseconds::zero()) return "exactly right";
  return wire::human(core::magnitude(offset), false) + (offset.value > core::nanoseconds::zero() ? " behind" : " ahead");
}

std::string headline(const core::CorrectionReport& report) { return printable(what_happened(report) + belief(report) + proof(report)); }

}  // namespace clockmend::host
