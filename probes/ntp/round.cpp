#include "probes/ntp/round.hpp"

#include <algorithm>
#include <utility>

namespace clockmend::probes::ntp {

namespace {
// Up to so many samples of one server, the one with the shortest path is kept.
constexpr unsigned kMaxSamples = 3;
constexpr unsigned kBudgetForMore = 4;  // what must be left for the rest of the correction
// An extra sample is a bonus: it is not waited for like a first one.
constexpr core::milliseconds kMinExtraTimeout{50};
constexpr core::milliseconds kMinGrace{100};
}  // namespace

Round::Round(ExchangePorts ports, RoundPlan plan, std::function<void(const RoundResult&)> done)
    : ports_(ports), plan_(plan), done_(std::move(done)), started_(ports.scheduler.now()) {
  deadline_ = ports_.scheduler.after(plan_.deadline, [this] { finish(); });
  evaluate_soon();
}

void Round::add(const std::shared_ptr<Server>& server) {
  entries_.push_back(std::make_unique<Entry>());
  entries_.back()->answer.server = server;
  ask(*entries_.back());
}

void Round::set_pending_names(std::size_t n) {
  pending_names_ = n;
  evaluate_soon();
}

void Round::ask(Entry& entry) {
  auto& budget = entry.answer.server->budget;
  const auto now = ports_.scheduler.now();
  if (budget.take(now)) return launch(entry, budget.patience(plan_.timeout), true);
  const auto when = budget.next(now);
  if (when + plan_.timeout > started_ + plan_.deadline) {
    if (!budget.told_to_wait(now)) entry.answer.deferred_until = when;
    const std::string why = budget.told_to_wait(now) ? "the server wants a pause" : "asked too often";
    const auto wait = std::chrono::ceil<core::seconds>(when - now).count();
    return fail(entry, {false, why + ", next in " + std::to_string(wait) + " s", {}});
  }
  entry.deferred = ports_.scheduler.at(when, [this, &entry] {
    entry.deferred.reset();
    ask(entry);
  });
}

void Round::launch(Entry& entry, core::nanoseconds timeout, bool may_retry) {
  entry.answer.asked = true;
  const auto server = entry.answer.server;
  ExchangePlan plan{server->endpoint, plan_.floor, plan_.ceiling, timeout, {}};
  plan.may_send_again = [may_retry, server, &scheduler = ports_.scheduler] { return may_retry && server->budget.take(scheduler.now()); };
  entry.exchange = std::make_unique<Exchange>(ports_, std::move(plan), [this, &entry](const ExchangeResult& r) { on_result(entry, r); });
}

void Round::on_result(Entry& entry, const ExchangeResult& result) {
  // The exchange lives on until this returns: it is the caller.
  const auto finished = std::move(entry.exchange);
  if (const auto* sample = std::get_if<Sample>(&result)) {
    accept(entry, *sample);
  } else {
    fail(entry, std::get<ExchangeFailure>(result));
  }
  evaluate();
}

void Round::accept(Entry& entry, const Sample& sample) {
  entry.answer.server->budget.answered();
  auto& best = entry.answer.sample;
  if (!best || sample.uncertainty < best->uncertainty) best = sample;
  ++entry.samples;
  if (wants_another(entry) && entry.answer.server->budget.take(ports_.scheduler.now())) {
    const auto patience = std::max<core::nanoseconds>(4 * sample.delay, kMinExtraTimeout);
    launch(entry, std::min(patience, plan_.timeout), false);
  }
}

/// Asking again helps only where the path is the larger part of the error: the server's own distance repeats.
bool Round::wants_another(const Entry& entry) const {
  const auto& best = *entry.answer.sample;
  const auto& budget = entry.answer.server->budget;
  if (entry.samples >= kMaxSamples || budget.spaced() || budget.left(ports_.scheduler.now()) < kBudgetForMore) return false;
  return best.uncertainty > plan_.wanted_error && best.delay > plan_.wanted_error;
}

void Round::fail(Entry& entry, const ExchangeFailure& failure) {
  auto& server = *entry.answer.server;
  if (!failure.kiss_code.empty()) server.budget.kissed(failure.kiss_code, ports_.scheduler.now());
  if (entry.answer.sample) return;  // an extra sample failed: the first one stands
  entry.answer.failure = failure;
  // RATE soon after another request: the server wants 2 s between them, and there may be time for that.
  const auto again = server.budget.next(ports_.scheduler.now());
  if (failure.kiss_code == "RATE" && again + plan_.timeout <= started_ + plan_.deadline) {
    entry.deferred = ports_.scheduler.at(again, [this, &entry] {
      entry.deferred.reset();
      ask(entry);
    });
    return;
  }
  evaluate_soon();
}

void Round::own_step(const core::ClockSnapshot& after) {
  for (const auto& entry : entries_) {
    const bool had_sample = entry->answer.sample.has_value();
    entry->answer.sample.reset();
    entry->samples = 0;
    if (entry->exchange) {
      entry->exchange->own_step(after);
    } else if (had_sample) {
      ask(*entry);
    }
  }
  grace_.reset();
}

bool Round::deferred() const {
  const auto now = ports_.scheduler.now();
  const auto by_us = [&](const auto& e) { return e->deferred && !e->answer.asked && !e->answer.server->budget.told_to_wait(now); };
  return !entries_.empty() && std::all_of(entries_.begin(), entries_.end(), by_us);
}

bool Round::can_be_repeated() const {
  const auto now = ports_.scheduler.now();
  const auto able = std::count_if(entries_.begin(), entries_.end(),
                                  [&](const auto& e) { return e->answer.server->budget.next(now) <= now + RequestBudget::kHeadway; });
  return 2 * static_cast<std::size_t>(able) > entries_.size();
}

Selection Round::current() const {
  std::vector<Candidate> candidates;
  for (const auto& entry : entries_)
    if (entry->answer.sample) candidates.push_back({entry->answer.server->endpoint.text, *entry->answer.sample});
  return select(candidates);
}

bool Round::busy() const {
  return pending_names_ > 0 || std::any_of(entries_.begin(), entries_.end(), [](const auto& e) { return e->busy(); });
}

void Round::evaluate_soon() {
  soon_ = ports_.scheduler.after(core::nanoseconds::zero(), [this] { evaluate(); });
}

void Round::evaluate() {
  if (!busy()) return finish();
  if (plan_.hear_all) return;
  const Selection s = current();
  // Servers that could not be asked for want of budget do not count: they will not answer in this round.
  const auto counted =
      static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [](const auto& e) { return e->answer.asked || e->busy(); }));
  if (2 * std::size_t{s.agreeing} <= counted + pending_names_) return;
  if (s.uncertainty <= plan_.wanted_error) return finish();
  if (grace_) return;
  const auto elapsed = ports_.scheduler.now() - started_;
  grace_ = ports_.scheduler.after(std::max<core::nanoseconds>(elapsed, kMinGrace), [this] { finish(); });
}

void Round::finish() {
  RoundResult result;
  result.selection = current();
  result.took = ports_.scheduler.now() - started_;
  std::size_t candidate = 0;
  for (const auto& entry : entries_) {
    auto answer = entry->answer;
    answer.unfinished = entry->busy() && !answer.sample;
    if (answer.unfinished) answer.failure = {false, "no reply", {}};
    if (answer.sample) answer.truechimer = result.selection.usable && result.selection.truechimer[candidate++];
    result.answers.push_back(std::move(answer));
  }
  deadline_.reset();
  grace_.reset();
  soon_.reset();
  const auto done = std::move(done_);
  done(result);  // `this` may be gone from here on
}

}  // namespace clockmend::probes::ntp
