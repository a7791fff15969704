// Bringing back what was stopped, and proving that it runs.
#include <algorithm>
#include <utility>

#include "correctors/time_daemon/nudge.hpp"
#include "correctors/time_daemon/state.hpp"
#include "correctors/time_daemon/time_daemons.hpp"

namespace clockmend::correctors {
namespace {

constexpr core::milliseconds kStoppingDeadline{1000};
/// A daemon that cannot live (bad configuration, port taken) has died by then.
constexpr core::milliseconds kRecheckAfter{300};

/// What is to become of one unit.
struct Verdict {
  enum class Do { nothing, start, tell } what = Do::nothing;
  UnitOutcome outcome;  // where nothing is done
};

Verdict leave(const ManagedUnit& unit, bool ok, std::string detail, core::UnitState state) {
  return {Verdict::Do::nothing, {unit.unit, ok, std::move(detail), std::move(state)}};
}

/// What beside the unit's own state decides.
struct Circumstances {
  const std::map<std::string, std::string>& own_runs;
  const std::set<std::string>& own_stops;
  std::string rival;
};

const char* why_it_runs(const core::UnitState& now, bool other_run) {
  if (now.invocation_id.empty()) return "already running";  // nobody knows since when
  return other_run ? "already running: started by someone else" : "running: it was not stopped";
}

Verdict judge(const ManagedUnit& unit, const core::Result<core::UnitState>& answer, const Circumstances& known) {
  if (unit.action == core::DaemonAction::leave)
    return leave(unit, true, answer ? "left alone: " + in_words(*answer) : "left alone", answer ? *answer : unit.state);
  if (!answer) {
    // Not knowing is no reason to leave a daemon stopped: systemd itself refuses masked and missing units.
    if (answer.error().code != core::ErrorCode::not_found) return {Verdict::Do::start, {}};
    return leave(unit, false, "failed: " + answer.error().text, unit.state);
  }
  const core::UnitState& now = *answer;
  const auto own = known.own_runs.find(now.id);
  const bool other_run = !now.invocation_id.empty() && !unit.invocation_id.empty() && now.invocation_id != unit.invocation_id &&
                         (own == known.own_runs.end() || own->second != now.invocation_id);
  const bool to_be_told = unit.action == core::DaemonAction::nudge;
  if (now.running() && to_be_told && !other_run) return {Verdict::Do::tell, {}};
  if (now.load_state == "masked") return leave(unit, false, "skipped: it was masked meanwhile", now);
  if (now.running()) return leave(unit, true, why_it_runs(now, other_run), now);
  if (!known.rival.empty()) return leave(unit, true, "skipped: " + known.rival + " became active meanwhile, starting would stop it", now);
  if (other_run && !is_up(now) && now.active_state != "deactivating")
    return leave(unit, false, "skipped: started by someone else meanwhile and now " + in_words(now), now);
  // We did not stop it: whoever did meant it. One that died is another matter.
  if (to_be_told && now.active_state == "inactive" && !known.own_stops.contains(now.id))
    return leave(unit, true, "skipped: somebody stopped it", now);
  return {Verdict::Do::start, {}};
}

UnitOutcome judge_start(const ManagedUnit& unit, const core::Result<core::UnitState>& reply) {
  if (!reply) return {unit.unit, false, "failed: " + reply.error().text, unit.state, true};
  if (!reply->running()) return {unit.unit, false, "failed: it is " + in_words(*reply) + " after its start", *reply, true};
  if (!unit.invocation_id.empty() && reply->invocation_id == unit.invocation_id)
    return {unit.unit, true, "running: it was not stopped", *reply};
  return {unit.unit, true, "running", *reply};
}

UnitOutcome judge_again(const UnitOutcome& started, const core::Result<core::UnitState>& now) {
  UnitOutcome outcome = started;
  if (!now) return outcome;  // nothing said that it died
  outcome.state = *now;
  if (now->running() && now->invocation_id == started.state.invocation_id) return outcome;
  outcome.ok = false;
  outcome.retry = true;
  outcome.detail = "failed: it is " + in_words(*now) + " right after its start";
  return outcome;
}

/// One call of TimeDaemons::start(), kept alive by the replies it waits for.
template <typename State>
struct StartJob : std::enable_shared_from_this<StartJob<State>> {
  std::weak_ptr<State> state;
  TimeDaemons::Units units;
  TimeDaemons::OnOutcomes done;
  TimeDaemons::OnOutcomes confirmed;
  std::shared_ptr<Gather<UnitOutcome>> gather;
  std::map<std::size_t, std::string> reasons;  // of restarts that were to be none

  void begin();
  void look_around();
  void start_one(std::size_t index);
  void tell_one(std::size_t index, const core::UnitState& now);
  void restart_one(std::size_t index, std::string why);
  void told(std::vector<UnitOutcome> outcomes);
  void recheck(const std::vector<UnitOutcome>& outcomes);
};

template <typename State>
void StartJob<State>::begin() {
  const auto alive = state.lock();
  alive->services.system_stopping(kStoppingDeadline, [job = this->shared_from_this()](const core::Result<bool>& stopping) {
    if (job->state.expired()) return;
    if (!stopping || !*stopping) return job->look_around();
    std::vector<UnitOutcome> outcomes;
    for (const ManagedUnit& unit : job->units) outcomes.push_back({unit.unit, false, "skipped: the system is going down", unit.state});
    job->done(std::move(outcomes));
  });
}

template <typename State>
void StartJob<State>::look_around() {
  std::vector<std::string> names;
  for (const ManagedUnit& unit : units) names.push_back(unit.unit);
  const auto here = state.lock();
  for (const std::string& other : here->candidates)
    if (std::ranges::find(names, other) == names.end()) names.push_back(other);
  here->query_all(std::move(names), [job = this->shared_from_this()](const std::vector<UnitAnswer>& answers) {
    const auto alive = job->state.lock();
    if (!alive) return;
    // Conflicts= works in both directions (systemd.unit(5)): starting ours would stop what somebody put in its place.
    Circumstances known{alive->own_runs, alive->own_stops, {}};
    for (const UnitAnswer& answer : answers) {
      if (!answer.state || !is_up(*answer.state) || alive->bystanders.contains(answer.state->id)) continue;
      const bool ours = std::ranges::find(job->units, answer.state->id, &ManagedUnit::unit) != job->units.end();
      if (!ours) known.rival = answer.state->id;
    }
    job->gather = std::make_shared<Gather<UnitOutcome>>(std::vector<UnitOutcome>(job->units.size()),
                                                        [job](std::vector<UnitOutcome> outcomes) { job->told(std::move(outcomes)); });
    for (std::size_t i = 0; i < job->units.size(); ++i) {
      Verdict verdict = judge(job->units[i], answers[i].state, known);
      if (verdict.what == Verdict::Do::start)
        job->start_one(i);
      else if (verdict.what == Verdict::Do::tell)
        job->tell_one(i, *answers[i].state);
      else
        job->gather->arrived(i, std::move(verdict.outcome));
    }
  });
}

template <typename State>
void StartJob<State>::start_one(std::size_t index) {
  const auto alive = state.lock();
  alive->manager_of(units[index].unit)
      .start(units[index].unit, alive->settings.start_deadline,
             [job = this->shared_from_this(), index](const core::Result<core::UnitState>& reply) {
               const auto still = job->state.lock();
               if (!still) return;
               if (reply) {
                 still->own_runs[reply->id] = reply->invocation_id;
                 still->remember(*reply);
                 if (reply->running()) still->own_stops.erase(reply->id);
               }
               UnitOutcome outcome = judge_start(job->units[index], reply);
               if (const auto why = job->reasons.find(index); why != job->reasons.end()) outcome.detail += "; it " + why->second;
               job->gather->arrived(index, std::move(outcome));
             });
}

template <typename State>
void StartJob<State>::tell_one(std::size_t index, const core::UnitState& now) {
  const auto alive = state.lock();
  alive->remember(now);
  nudge(alive->tools.commands, units[index].kind, alive->settings.start_deadline,
        [job = this->shared_from_this(), index, now](const core::Status& told) {
          if (job->state.expired()) return;
          if (!told) return job->restart_one(index, "could not be told (" + told.error().text + ")");
          job->gather->arrived(index, {job->units[index].unit, true, "runs on and was told", now});
        });
}

// Whatever came of the stop: the start job takes its place (mode "replace", systemctl(1) --job-mode).
template <typename State>
void StartJob<State>::restart_one(std::size_t index, std::string why) {
  const auto alive = state.lock();
  reasons[index] = std::move(why);
  alive->own_stops.insert(units[index].unit);
  alive->manager_of(units[index].unit)
      .stop(units[index].unit, alive->settings.stop_deadline,
            [job = this->shared_from_this(), index](const core::Result<core::UnitState>& reply) {
              const auto still = job->state.lock();
              if (!still) return;
              if (reply) still->remember(*reply);
              job->start_one(index);
            });
}

template <typename State>
void StartJob<State>::told(std::vector<UnitOutcome> outcomes) {
  const auto alive = state.lock();
  gather.reset();  // it holds us
  alive->outcomes.clear();
  for (const UnitOutcome& o : outcomes) alive->outcomes[o.unit] = o.detail;
  std::vector<UnitOutcome> started;
  for (const UnitOutcome& o : outcomes)
    if (o.ok && (o.detail == "running" || o.detail.starts_with("running;"))) started.push_back(o);
  const bool nothing_to_confirm = started.empty();
  if (!nothing_to_confirm) {
    const unsigned number = ++alive->recheck_number;
    alive->rechecks[number] = alive->scheduler.after(kRecheckAfter, [job = this->shared_from_this(), started, number] {
      if (const auto still = job->state.lock()) still->rechecks.erase(number);
      job->recheck(started);
    });
  }
  done(std::move(outcomes));
  if (nothing_to_confirm && confirmed) confirmed({});
}

template <typename State>
void StartJob<State>::recheck(const std::vector<UnitOutcome>& outcomes) {
  std::vector<std::string> names;
  for (const UnitOutcome& o : outcomes) names.push_back(o.unit);
  const auto alive = state.lock();
  if (!alive) return;
  alive->query_all(std::move(names), [job = this->shared_from_this(), outcomes](const std::vector<UnitAnswer>& answers) {
    const auto still = job->state.lock();
    if (!still) return;
    std::vector<UnitOutcome> again;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      again.push_back(judge_again(outcomes[i], answers[i].state));
      still->outcomes[again.back().unit] = again.back().detail;
      if (answers[i].state) still->remember(*answers[i].state);
    }
    if (job->confirmed) job->confirmed(std::move(again));
  });
}

}  // namespace

void TimeDaemons::start(const Units& units, OnOutcomes done, OnOutcomes confirmed) {
  if (units.empty()) {
    done({});
    if (confirmed) confirmed({});
    return;
  }
  auto job = std::make_shared<StartJob<State>>();
  job->state = state_;
  job->units = units;
  job->done = std::move(done);
  job->confirmed = std::move(confirmed);
  job->begin();
}

}  // namespace clockmend::correctors
