// Asking what runs, and stopping it. Starting is in start.cpp.
#include "correctors/time_daemon/time_daemons.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "correctors/time_daemon/drivers.hpp"
#include "correctors/time_daemon/state.hpp"

namespace clockmend::correctors {
namespace {

/// A property query is answered in milliseconds; a bus that takes longer is not there.
constexpr core::milliseconds kQueryDeadline{2000};

const ManagedUnit* find(const TimeDaemons::Units& units, const std::string& id) {
  const auto at = std::ranges::find(units, id, &ManagedUnit::unit);
  return at == units.end() ? nullptr : &*at;
}

/// It ran when we last looked and has failed since, in the same run: the gap killed it (ntpd gives up above 1000 s).
bool died(const ManagedUnit* before, const core::UnitState& now) {
  return before != nullptr && now.active_state == "failed" && before->invocation_id == now.invocation_id;
}

std::vector<std::string> candidates(const core::DaemonSettings& settings) {
  std::vector<std::string> names;
  if (!settings.unit.empty()) names.push_back(settings.unit);
  for (const DaemonUnit& known : known_units())
    if (known.unit != settings.unit) names.emplace_back(known.unit);
  return names;
}

}  // namespace

bool is_up(const core::UnitState& state) {
  return state.active_state == "active" || state.active_state == "activating" || state.active_state == "reloading";
}

std::string in_words(const core::UnitState& state) {
  const std::string& why = state.active_state == "failed" && !state.result.empty() ? state.result : state.sub_state;
  return state.active_state + (why.empty() ? "" : " (" + why + ")");
}

void TimeDaemons::State::query_all(std::vector<std::string> units, std::function<void(std::vector<UnitAnswer>)> done) {
  if (units.empty()) return done({});
  std::vector<UnitAnswer> unanswered;
  for (const std::string& unit : units) unanswered.push_back({unit, core::Error{core::ErrorCode::timeout, unit + ": no answer"}});
  auto gather = std::make_shared<Gather<UnitAnswer>>(std::move(unanswered), std::move(done));
  for (std::size_t i = 0; i < units.size(); ++i)
    services.query(units[i], kQueryDeadline, [gather, i, unit = units[i], weak = weak_from_this()](core::Result<core::UnitState> state) {
      if (!weak.expired()) gather->arrived(i, {unit, std::move(state)});
    });
}

void TimeDaemons::State::remember(const core::UnitState& state) {
  for (ManagedUnit& unit : known) {
    if (unit.unit != state.id) continue;
    unit.state = state;
    unit.invocation_id = state.invocation_id;
  }
}

TimeDaemons::TimeDaemons(core::ServiceManager& services, core::Scheduler& scheduler, core::DaemonSettings settings)
    : state_(std::make_shared<State>(services, scheduler, std::move(settings))) {}
TimeDaemons::~TimeDaemons() = default;

void TimeDaemons::configure(core::DaemonSettings settings) { state_->settings = std::move(settings); }

const TimeDaemons::Units& TimeDaemons::known() const { return state_->known; }

void TimeDaemons::refresh(OnUnits done) {
  State& state = *state_;
  const auto judge = [&state, done = std::move(done)](const std::vector<UnitAnswer>& answers) {
    Units found;
    std::set<std::string> bystanders;
    std::optional<core::Error> problem;
    bool anybody = false;
    for (const UnitAnswer& answer : answers) {
      if (!answer.state) {
        const bool absent = answer.state.error().code == core::ErrorCode::not_found;
        if (!absent) problem = answer.state.error();
        anybody |= absent;
        continue;
      }
      anybody = true;
      const core::UnitState& now = *answer.state;
      const bool ours = state.settings.unit.empty() || answer.asked == state.settings.unit;
      if (find(found, now.id) != nullptr) continue;  // another alias of it
      if (!ours && is_up(now)) bystanders.insert(now.id);
      if (ours && (is_up(now) || died(find(state.known, now.id), now))) found.push_back({now.id, now.invocation_id, kind_of(now.id), now});
    }
    if (!anybody && problem) return done(core::Error{problem->code, "cannot ask which time daemon runs: " + problem->text});
    state.known = found;
    state.bystanders = std::move(bystanders);
    done(std::move(found));
  };
  state.query_all(candidates(state.settings), judge);
}

namespace {

UnitOutcome judge_stop(const ManagedUnit& unit, const core::Result<core::UnitState>& reply) {
  if (!reply) return {unit.unit, false, "not stopped: " + reply.error().text, unit.state};
  if (!is_up(*reply) && reply->active_state != "deactivating") return {unit.unit, true, "stopped", *reply};
  return {unit.unit, false, "stopped, but it is " + in_words(*reply) + " again", *reply};
}

}  // namespace

void TimeDaemons::stop(const Units& units, OnOutcomes done) {
  if (units.empty()) return done({});
  std::vector<UnitOutcome> empty(units.size());
  auto gather = std::make_shared<Gather<UnitOutcome>>(std::move(empty), std::move(done));
  for (std::size_t i = 0; i < units.size(); ++i) {
    const ManagedUnit& unit = units[i];
    if (unit.state.active_state == "failed") {
      gather->arrived(i, {unit.unit, true, "had died: " + in_words(unit.state), unit.state});
      continue;
    }
    state_->services.stop(unit.unit, state_->settings.stop_deadline,
                          [gather, i, unit, weak = std::weak_ptr<State>(state_)](const core::Result<core::UnitState>& reply) {
                            const auto alive = weak.lock();
                            if (!alive) return;
                            UnitOutcome outcome = judge_stop(unit, reply);
                            if (reply) alive->remember(*reply);
                            if (!reply && reply.error().code == core::ErrorCode::timeout) {
                              // The stop job is still pending and would leave the unit stopped for good. A start job replaces it (mode
                              // "replace", systemctl(1) --job-mode): the unit comes back however long its stop takes.
                              outcome.detail += "; asked to start again";
                              alive->services.start(unit.unit, alive->settings.start_deadline,
                                                    [weak](const core::Result<core::UnitState>& again) {
                                                      const auto state = weak.lock();
                                                      if (!state || !again) return;
                                                      state->own_runs[again->id] = again->invocation_id;
                                                      state->remember(*again);
                                                    });
                            }
                            gather->arrived(i, std::move(outcome));
                          });
  }
}

}  // namespace clockmend::correctors
