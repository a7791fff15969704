#include "agent/engine/guards.hpp"

namespace clockmend::engine {
namespace {

constexpr std::size_t kMaxEntries = 256;

std::string in_seconds(core::nanoseconds v) {
  const auto ms = std::chrono::duration_cast<core::milliseconds>(v).count();
  const std::string fraction = std::to_string(1000 + (ms < 0 ? -ms : ms) % 1000).substr(1);
  return (ms < 0 ? "-" : "") + std::to_string((ms < 0 ? -ms : ms) / 1000) + "." + fraction + " s";
}

}  // namespace

void StepHistory::add(core::BoottimePoint at, core::Offset amount, bool was_corroborated) {
  if (was_corroborated) return;
  entries_.push_back({at, core::magnitude(amount)});
  if (entries_.size() <= kMaxEntries) return;
  // Forgetting the oldest would open the guard for whoever makes many steps: it is added to the next one.
  entries_[1].amount += entries_[0].amount;
  entries_.pop_front();
}

core::nanoseconds StepHistory::uncorroborated_within(core::BoottimePoint now, core::nanoseconds window) const {
  core::nanoseconds sum{};
  for (const Entry& e : entries_)
    if (now - e.at <= window) sum += e.amount;
  return sum;
}

bool corroborated(const core::Estimate& e) { return e.witnesses >= 2 || e.ntp_majority; }

std::optional<std::string> forbidden(const core::Estimate& step, const StepHistory& history, const GuardContext& context,
                                     const core::Policy& policy) {
  const core::nanoseconds amount = step.offset.value;
  const core::RealtimePoint target = context.now.realtime + amount;
  // The interval's error counts in favour of the step: a floor of seconds ago must not forbid a right one.
  if (!context.forced && target + step.uncertainty < policy.floor)
    return "the corrected time would lie before the earliest time that can be true (build date or last good time)";
  if (target > policy.ceiling) return "the corrected time would lie beyond the year 2100";
  if (context.forced || corroborated(step)) return std::nullopt;
  const core::nanoseconds backward = -(amount + context.own_forward);
  if (amount > policy.max_forward_uncorroborated)
    return "one source alone (" + std::string(core::to_string(step.best)) + ") may move the clock forward by " +
           in_seconds(policy.max_forward_uncorroborated) + " at most, it asks for " + in_seconds(amount);
  if (backward > policy.max_backward_uncorroborated)
    return "one source alone (" + std::string(core::to_string(step.best)) + ") may move the clock backward by " +
           in_seconds(policy.max_backward_uncorroborated) + " at most, it asks for " + in_seconds(-amount);
  const core::nanoseconds recent = history.uncorroborated_within(context.now.boottime, policy.accumulation_window);
  if (recent + core::magnitude(step.offset) > policy.max_accumulated)
    return "steps on one source's word add up to more than " + in_seconds(policy.max_accumulated) + " within " +
           in_seconds(policy.accumulation_window);
  return std::nullopt;
}

}  // namespace clockmend::engine
