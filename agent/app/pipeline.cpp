#include "agent/app/pipeline.hpp"

#include <utility>

namespace clockmend::app {
namespace {

// Far above what one correction produces; beyond it something feeds us faster than we can judge, and dropping is right.
constexpr std::size_t kLongestQueue = 1024;

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

}  // namespace

Pipeline::Pipeline(engine::Engine& engine, Executor& executor, core::ClockReader& clock, core::Scheduler& scheduler,
                   PipelineListener listener)
    : engine_(engine), executor_(executor), clock_(clock), scheduler_(scheduler), listener_(std::move(listener)) {}

void Pipeline::start() {
  // At once, not with the outcome: until told, the RTC probe would take the moved edge for somebody else's doing.
  executor_.on_rtc_written([this] {
    for (core::Probe* probe : probes_) probe->own_change({core::OwnChange::What::rtc_write, {}, clock_.snapshot()});
  });
  for (core::Probe* probe : probes_) probe->start([this](core::Observation o) { observe(std::move(o)); });
}

engine::Now Pipeline::now() { return {clock_.snapshot(), clock_.kernel_status()}; }

void Pipeline::observe(core::Observation observation) {
  post([this, o = std::move(observation)](const engine::Now& now) { return engine_.observe(o, now); });
}

void Pipeline::post(Event event) {
  if (queue_.size() >= kLongestQueue) {
    ++dropped_;
    return;
  }
  queue_.push_back(std::move(event));
  if (!draining_) drain();
}

void Pipeline::drain() {
  draining_ = true;
  while (!queue_.empty()) {
    const Event event = std::move(queue_.front());
    queue_.pop_front();
    const engine::Now at = now();
    book_tool_step(at.clocks);
    for (const engine::Command& command : event(at)) perform(command);
    if (listener_.on_event) listener_.on_event();
  }
  draining_ = false;
}

void Pipeline::ask(const engine::AskWitness& question) {
  for (core::Probe* probe : probes_)
    if (probe->name() == core::to_string(question.witness)) return probe->measure_within(question.within);
  observe(core::MeasurementFailed{question.witness, "off by configuration"});
}

void Pipeline::apply(const engine::ApplyStep& step) {
  const auto result = executor_.apply(engine_.current_number(), step);
  if (result && step.kind != core::ActionKind::slew) {
    // Booked before anything else is observed: our own step must never look like somebody else's.
    engine_.own_step_applied(step.offset);
    for (core::Probe* probe : probes_) probe->own_change({core::OwnChange::What::step, step.offset, *result});
  }
  post([this, result](const engine::Now& now) { return engine_.stepped(result, now); });
}

void Pipeline::run_step_tool(const engine::RunStepTool& tool) {
  executor_.run_step_tool(engine_.current_number(), tool, [this](const engine::StepToolOutcome& outcome) {
    // Its last step was booked when this event began.
    post([this, outcome](const engine::Now& now) {
      executor_.tool_over();
      return engine_.tool_ended(outcome, now);
    });
  });
}

// Before each event: what a program of ours does to the clock must never look like somebody else's doing.
void Pipeline::book_tool_step(const core::ClockSnapshot& now) {
  const auto moved = executor_.tool_stepped(now);
  if (!moved) return;
  engine_.tool_stepped(*moved);
  for (core::Probe* probe : probes_) probe->own_change({core::OwnChange::What::step, *moved, now});
}

void Pipeline::run_hooks(const core::HookFacts& facts) {
  if (facts.point == core::HookPoint::post_step) return executor_.run_hooks(facts, nullptr);
  executor_.run_hooks(facts, [this, number = facts.correction] {
    post([this, number](const engine::Now& now) { return engine_.hooks_done(number, now); });
  });
}

void Pipeline::arm(const engine::ArmDeadline& deadline) {
  deadline_ = scheduler_.after(deadline.delay, [this, token = deadline.token] {
    post([this, token](const engine::Now& now) { return engine_.deadline(token, now); });
  });
}

// The record first: what the journal still has open is told again after a crash, unless it is on record.
void Pipeline::publish(const core::CorrectionReport& report) {
  if (listener_.on_report) listener_.on_report(report);
  executor_.finished();
}

void Pipeline::perform(const engine::Command& command) {
  std::visit(Overload{
                 [&](const engine::AskWitnesses&) {
                   for (core::Probe* probe : probes_) probe->measure_now();
                 },
                 [&](const engine::AskWitness& a) { ask(a); },
                 [&](const engine::AskDaemons&) {
                   executor_.ask_daemons([this](std::optional<bool> active) {
                     post([this, active](const engine::Now& now) { return engine_.daemons_known(active, now); });
                   });
                 },
                 [&](const engine::StopDaemons& s) {
                   executor_.stop_daemons(
                       engine_.current_number(),
                       [this](const engine::DaemonOutcome& o) {
                         post([this, o](const engine::Now& now) { return engine_.daemons_stopped(o, now); });
                       },
                       s.none_may_run);
                 },
                 [&](const engine::StartDaemons&) {
                   executor_.start_daemons([this](const engine::DaemonOutcome& o) {
                     post([this, o](const engine::Now& now) { return engine_.daemons_started(o, now); });
                   });
                 },
                 [&](const engine::ApplyStep& s) { apply(s); },
                 [&](const engine::RunStepTool& t) { run_step_tool(t); },
                 [&](const engine::RunHooks& h) { run_hooks(h.facts); },
                 [&](const engine::WriteRtc& w) {
                   executor_.write_rtc(w, [this](const engine::RtcOutcome& o) {
                     post([this, o](const engine::Now& now) { return engine_.rtc_written(o, now); });
                   });
                 },
                 [&](const engine::ArmDeadline& a) { arm(a); },
                 [&](const engine::DisarmDeadline&) { deadline_.reset(); },
                 [&](const engine::Reconsider&) { post([this](const engine::Now& now) { return engine_.reconsider(now); }); },
                 [&](const engine::Publish& p) { publish(p.report); },
                 [&](const engine::Note& n) {
                   if (listener_.on_note) listener_.on_note(n.text);
                 },
             },
             command);
}

}  // namespace clockmend::app
