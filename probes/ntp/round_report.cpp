#include "probes/ntp/round_report.hpp"

#include <algorithm>

#include "probes/ntp/text.hpp"

namespace clockmend::probes::ntp {

namespace {

// Reports travel through lines of a few KiB.
constexpr std::size_t kNamed = 6;
constexpr std::size_t kMaxReason = 120;

std::string state_of(const RoundAnswer& answer) {
  if (answer.sample) return answer.truechimer ? "ok" : "falseticker";
  const auto reason = answer.failure.text.substr(0, kMaxReason);
  if (!answer.asked) return "not asked: " + reason;
  if (!answer.failure.kiss_code.empty()) return "kod: " + answer.failure.kiss_code;
  return (answer.failure.reached ? "bad reply: " : "unreachable: ") + reason;
}

std::string sample_text(const RoundAnswer& answer) {
  const auto& s = *answer.sample;
  return answer.server->endpoint.text + " " + ms_text(s.offset.value, true) + " +-" + ms_text(s.uncertainty) + " rtt " + ms_text(s.delay) +
         " stratum " + std::to_string(s.stratum);
}

/// By how many of the agreeing servers; 0 unless they are the most of them (CVE-2016-4954). It makes the engine careful, no more:
/// clockmend leaves STA_INS and STA_DEL to the time daemon.
unsigned leap_announced(const RoundResult& result) {
  unsigned announced = 0;
  for (const auto& a : result.answers) announced += a.truechimer && (a.sample->leap == 1 || a.sample->leap == 2) ? 1 : 0;
  return 2 * announced <= result.selection.agreeing ? 0 : announced;
}

std::string leap_text(const RoundResult& result) {
  const unsigned announced = leap_announced(result);
  if (announced == 0) return {};
  return "; leap second announced by " + std::to_string(announced) + " of " + std::to_string(result.selection.agreeing);
}

std::string seconds_text(core::nanoseconds d) {
  const auto tenths = (d + core::milliseconds{50}) / core::milliseconds{100};
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

void remember(const RoundResult& result) {
  for (const auto& answer : result.answers) {
    // Ended early: nothing new is known of this one.
    if (answer.unfinished && result.selection.usable) continue;
    answer.server->state = state_of(answer);
    // With no majority nobody can tell who lies.
    if (answer.sample && !result.selection.usable) answer.server->state = "disagrees";
    if (answer.sample) answer.server->last = answer.sample;
  }
}

std::optional<core::MonotonicPoint> deferred_until(const RoundResult& result) {
  std::optional<core::MonotonicPoint> when;
  for (const auto& answer : result.answers)
    if (answer.deferred_until) when = std::min(when.value_or(*answer.deferred_until), *answer.deferred_until);
  return when;
}

core::OffsetReading to_reading(const RoundResult& result) {
  const auto& s = result.selection;
  core::OffsetReading r;
  r.witness = core::Witness::ntp;
  r.offset = s.offset;
  r.uncertainty = s.uncertainty;
  r.at = s.at;
  r.agreeing = s.agreeing;
  r.answered = s.answered;
  r.leap_announced = leap_announced(result) > 0;
  r.detail = std::to_string(s.agreeing) + "/" + std::to_string(s.answered) + " servers: ";
  std::size_t named = 0;
  for (const auto& answer : result.answers) {
    if (!answer.truechimer) continue;
    if (++named > kNamed) break;
    r.detail += (named > 1 ? ", " : "") + sample_text(answer);
  }
  if (!s.reason.empty()) r.detail += "; " + s.reason;
  r.detail += leap_text(result);
  return r;
}

std::string failure_text(const RoundResult& result) {
  if (result.selection.answered > 0) return result.selection.reason;
  std::string out = "no NTP server answered within " + seconds_text(result.took) + ": ";
  for (std::size_t i = 0; i < result.answers.size() && i < kNamed; ++i) {
    const auto& answer = result.answers[i];
    out += (i > 0 ? ", " : "") + answer.server->endpoint.text + ": " + answer.failure.text.substr(0, kMaxReason);
  }
  if (result.answers.size() > kNamed) out += " and " + std::to_string(result.answers.size() - kNamed) + " more";
  return out;
}

core::ServerStatus to_status(const Server& server) {
  core::ServerStatus status;
  status.address = server.endpoint.text;
  status.name = server.name;
  status.state = server.state;
  if (server.last) {
    const auto& s = *server.last;
    status.stratum = s.stratum;
    status.last = core::OffsetReading{core::Witness::ntp, s.offset, s.uncertainty, {}, s.at, 1, 1, false, "rtt " + ms_text(s.delay)};
  }
  return status;
}

}  // namespace clockmend::probes::ntp
