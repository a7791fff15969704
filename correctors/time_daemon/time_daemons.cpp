// Asking what runs, and stopping it. Starting is in start.cpp.
#include "correctors/time_daemon/time_daemons.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "correctors/time_daemon/discovery.hpp"
#include "correctors/time_daemon/drivers.hpp"
#include "correctors/time_daemon/state.hpp"

namespace clockmend::correctors {
namespace {

/// A property query is answered in milliseconds; all names at once took a starved guest 2 s.
constexpr core::milliseconds kQueryDeadline{4000};
/// A time daemon that is installed meanwhile is known after this long at the latest.
constexpr core::seconds kAskAllAgain{300};

const ManagedUnit* find(const TimeDaemons::Units& units, const std::string& id) {
  const auto at = std::ranges::find(units, id, &ManagedUnit::unit);
  return at == units.end() ? nullptr : &*at;
}

/// It ran when we last looked and has failed since, in the same run: the gap killed it (ntpd gives up above 1000 s).
bool died(const ManagedUnit* before, const core::UnitState& now) {
  return before != nullptr && now.active_state == "failed" && before->invocation_id == now.invocation_id;
}

void add_new(std::vector<std::string>& names, std::string_view name) {
  if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
}

std::vector<std::string> gather_candidates(const core::DaemonSettings& settings, const std::vector<std::string>& listed) {
  std::vector<std::string> names;
  if (!settings.unit.empty()) names.push_back(settings.unit);
  for (const auto* decided : {&settings.restart, &settings.nudge, &settings.leave})
    for (const std::string& unit : *decided) add_new(names, unit);
  for (const DaemonUnit& known : known_units()) add_new(names, known.unit);
  for (const std::string& unit : listed) add_new(names, unit);
  return names;
}

bool names_one(const std::vector<std::string>& units, const std::string& asked, const std::string& id) {
  return std::ranges::find(units, asked) != units.end() || std::ranges::find(units, id) != units.end();
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
    manager_of(units[i]).query(units[i], kQueryDeadline,
                               [gather, i, unit = units[i], weak = weak_from_this()](core::Result<core::UnitState> state) {
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

core::ServiceManager& TimeDaemons::State::manager_of(const std::string& unit) {
  return configured && unit == kConfiguredCommands ? static_cast<core::ServiceManager&>(*configured) : services;
}

void TimeDaemons::State::configure(core::DaemonSettings fresh) {
  settings = std::move(fresh);
  configured.reset();
  if (!settings.command_start.empty() && tools.commands != nullptr) {
    configured = std::make_unique<CommandServices>(*tools.commands, configured_programs(settings));
    settings.unit = kConfiguredCommands;
  }
  Discovery found;
  if (tools.files != nullptr) found = discover(*tools.files);
  candidates = gather_candidates(settings, found.units);
  notes = std::move(found.notes);
  absent.clear();
  asked_all.reset();
}

std::vector<std::string> TimeDaemons::State::to_ask() {
  if (!asked_all || scheduler.now() - *asked_all >= kAskAllAgain) {
    asked_all = scheduler.now();
    absent.clear();
    return candidates;
  }
  std::vector<std::string> names;
  std::ranges::copy_if(candidates, std::back_inserter(names), [this](const std::string& name) { return !absent.contains(name); });
  return names;
}

bool TimeDaemons::State::decided_by_name(const std::string& name) const {
  return names_one(settings.restart, name, name) || names_one(settings.nudge, name, name) || names_one(settings.leave, name, name);
}

core::DaemonAction TimeDaemons::State::action_for(const std::string& asked, const std::string& id) const {
  using core::DaemonAction;
  DaemonAction wanted = settings.action;
  if (names_one(settings.restart, asked, id)) wanted = DaemonAction::restart;
  if (names_one(settings.nudge, asked, id)) wanted = DaemonAction::nudge;
  if (names_one(settings.leave, asked, id)) wanted = DaemonAction::leave;
  const DaemonKind kind = kind_of(id);
  if (wanted == DaemonAction::automatic) wanted = best_action(kind);
  if (wanted == DaemonAction::nudge && !can_be_nudged(kind)) wanted = DaemonAction::restart;
  if (wanted == DaemonAction::nudge && kind == DaemonKind::chronyd && tools.commands == nullptr) wanted = DaemonAction::restart;
  return wanted;
}

TimeDaemons::TimeDaemons(core::ServiceManager& services, core::Scheduler& scheduler, core::DaemonSettings settings, DaemonTools tools)
    : state_(std::make_shared<State>(services, scheduler, tools)) {
  state_->configure(std::move(settings));
}
TimeDaemons::~TimeDaemons() = default;

void TimeDaemons::configure(core::DaemonSettings settings) { state_->configure(std::move(settings)); }

const std::vector<std::string>& TimeDaemons::notes() const { return state_->notes; }

const TimeDaemons::Units& TimeDaemons::known() const { return state_->known; }

TimeDaemons::Units TimeDaemons::State::sort_out(const std::vector<UnitAnswer>& answers) {
  Units found;
  bystanders.clear();
  for (const UnitAnswer& answer : answers) {
    if (!answer.state) continue;
    const core::UnitState& now = *answer.state;
    const core::DaemonAction action = action_for(answer.asked, now.id);
    if (const auto same = std::ranges::find(found, now.id, &ManagedUnit::unit); same != found.end()) {  // another alias of it
      if (decided_by_name(answer.asked)) same->action = action;
      continue;
    }
    const bool ours = settings.unit.empty() || answer.asked == settings.unit;
    if (!ours && is_up(now)) bystanders.insert(now.id);
    if (ours && (is_up(now) || died(find(known, now.id), now))) found.push_back({now.id, now.invocation_id, kind_of(now.id), now, action});
  }
  return found;
}

std::string TimeDaemons::last_outcome(const std::string& unit) const {
  const auto at = state_->outcomes.find(unit);
  return at == state_->outcomes.end() ? "" : at->second;
}

void TimeDaemons::refresh(OnUnits done) {
  State& state = *state_;
  const auto judge = [&state, done = std::move(done)](const std::vector<UnitAnswer>& answers) {
    std::optional<core::Error> problem;
    bool anybody = false;
    for (const UnitAnswer& answer : answers) {
      const bool absent = !answer.state && answer.state.error().code == core::ErrorCode::not_found;
      if (!answer.state && !absent) problem = answer.state.error();
      anybody |= answer.state.ok() || absent;
      if (absent) state.absent.insert(answer.asked);
    }
    if (!anybody && problem) return done(core::Error{problem->code, "cannot ask which time daemon runs: " + problem->text});
    state.known = state.sort_out(answers);
    done(state.known);
  };
  state.query_all(state.to_ask(), judge);
}

namespace {

/// What stop() says of a unit that it does not stop; nothing if it is to be stopped.
std::optional<std::string> why_not_stopped(const ManagedUnit& unit) {
  if (unit.action == core::DaemonAction::leave) return "left alone: " + in_words(unit.state);
  if (unit.state.active_state == "failed") return "had died: " + in_words(unit.state);
  if (unit.action == core::DaemonAction::nudge) return "runs on, to be told";
  return std::nullopt;
}

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
    if (const auto why = why_not_stopped(unit)) {
      gather->arrived(i, {unit.unit, true, *why, unit.state});
      continue;
    }
    state_->manager_of(unit.unit).stop(unit.unit, state_->settings.stop_deadline,
                                       [gather, i, unit, weak = std::weak_ptr<State>(state_)](const core::Result<core::UnitState>& reply) {
                                         const auto alive = weak.lock();
                                         if (!alive) return;
                                         UnitOutcome outcome = judge_stop(unit, reply);
                                         if (reply) alive->remember(*reply);
                                         if (!reply && reply.error().code == core::ErrorCode::timeout) {
                                           // The stop job is still pending and would leave the unit stopped for good. A start job replaces
                                           // it (mode "replace", systemctl(1) --job-mode): the unit comes back however long its stop takes.
                                           outcome.detail += "; asked to start again";
                                           alive->manager_of(unit.unit).start(unit.unit, alive->settings.start_deadline,
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
