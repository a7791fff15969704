#include "probes/ptp_candidates.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "probes/ptp_limits.hpp"

namespace clockmend::probes {
namespace {

// A machine with many NICs need not fill the status.
constexpr std::size_t kMostNamed = 4;

bool before(const PtpCandidates::Candidate& a, const PtpCandidates::Candidate& b) {
  return std::tie(a.kind.rank, a.device.node) < std::tie(b.kind.rank, b.device.node);
}

core::MonotonicPoint when(const PtpCandidates::Candidate& candidate) { return std::max(candidate.not_before, candidate.ready); }

core::MonotonicPoint ready_at(const PtpKind& kind, core::MonotonicPoint now) {
  return kind.host_clock ? core::MonotonicPoint{} : now + kPtpGetReady;
}

}  // namespace

std::string ptp_words(const core::PhcDevice& device) { return device.node + " (" + device.clock_name + ")"; }

bool same_ptp(const core::PhcDevice& a, const core::PhcDevice& b) { return a.node == b.node && a.clock_name == b.clock_name; }

void PtpCandidates::refresh(const std::vector<core::PhcDevice>& present, const core::PtpSettings& settings, core::MonotonicPoint now) {
  std::vector<Candidate> fresh;
  refused_.clear();
  for (const core::PhcDevice& device : present) {
    PtpVerdict verdict = judge_ptp_name(device.clock_name, settings);
    if (auto* why = std::get_if<std::string>(&verdict)) {
      refused_.emplace_back(device, std::move(*why));
      continue;
    }
    Candidate candidate;
    const Candidate* old = find(device);
    if (old != nullptr) candidate = *old;
    candidate.device = device;
    candidate.kind = std::get<PtpKind>(verdict);  // of the settings of now
    if (old == nullptr) candidate.ready = ready_at(candidate.kind, now);
    fresh.push_back(std::move(candidate));
  }
  std::sort(fresh.begin(), fresh.end(), before);
  known_ = std::move(fresh);
}

void PtpCandidates::appeared(std::string_view node, core::MonotonicPoint now) {
  for (Candidate& candidate : known_) {
    if (candidate.device.node == node) candidate.ready = ready_at(candidate.kind, now);
  }
}

PtpCandidates::Candidate* PtpCandidates::find(const core::PhcDevice& device) {
  const auto found = std::find_if(known_.begin(), known_.end(), [&](const Candidate& c) { return same_ptp(c.device, device); });
  return found == known_.end() ? nullptr : &*found;
}

PtpCandidates::Candidate* PtpCandidates::pick(core::MonotonicPoint now) {
  const auto found = std::find_if(known_.begin(), known_.end(), [now](const Candidate& c) { return when(c) <= now; });
  return found == known_.end() ? nullptr : &*found;
}

void PtpCandidates::set_aside(const core::PhcDevice& device, core::MonotonicPoint now, std::string why,
                              std::optional<core::nanoseconds> fixed) {
  Candidate* candidate = find(device);
  if (candidate == nullptr) return;
  candidate->why = std::move(why);
  if (!fixed) {
    candidate->backoff = std::clamp<core::nanoseconds>(candidate->backoff * 2, kPtpFirstBackoff, kPtpLongestBackoff);
    fixed = candidate->backoff;
  }
  candidate->not_before = now + *fixed;
}

void PtpCandidates::praise(const core::PhcDevice& device) {
  Candidate* candidate = find(device);
  if (candidate == nullptr) return;
  candidate->backoff = {};
  candidate->rejected = false;
  candidate->why.clear();
}

void PtpCandidates::forgive() {
  for (Candidate& candidate : known_) candidate.not_before = {};
}

std::optional<core::MonotonicPoint> PtpCandidates::next() const {
  const auto first =
      std::min_element(known_.begin(), known_.end(), [](const Candidate& a, const Candidate& b) { return when(a) < when(b); });
  if (first == known_.end()) return std::nullopt;
  return when(*first);
}

std::string PtpCandidates::others(const core::PhcDevice* taken) const {
  std::vector<std::string> texts;
  for (const Candidate& candidate : known_) {
    if (taken != nullptr && same_ptp(candidate.device, *taken)) continue;
    texts.push_back(ptp_words(candidate.device) + ": " + (candidate.why.empty() ? "one is enough" : candidate.why));
  }
  for (const auto& [device, why] : refused_) texts.push_back(ptp_words(device) + ": " + why);
  std::string all;
  for (std::size_t i = 0; i < std::min(texts.size(), kMostNamed); ++i) all += (i == 0 ? "; not taken: " : ", ") + texts[i];
  if (texts.size() > kMostNamed) all += " and " + std::to_string(texts.size() - kMostNamed) + " more";
  return all;
}

}  // namespace clockmend::probes
