// The data flow of DESIGN section 5: observation -> engine -> commands -> outcomes -> engine, one event at a time.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "agent/app/executor.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/probe.hpp"
#include "agent/engine/engine.hpp"

namespace clockmend::app {

/// Who hears what the pipeline did. Called from the event loop, between two events.
struct PipelineListener {
  std::function<void(const core::CorrectionReport&)> on_report;
  std::function<void(const std::string&)> on_note;
  std::function<void()> on_event;  // after each event: the status may have changed
};

/// Everything happens in the caller's thread. What a command brings about while it is executed is queued and handled
/// after the commands of the same event, so the engine is never entered twice.
class Pipeline {
 public:
  Pipeline(engine::Engine& engine, Executor& executor, core::ClockReader& clock, core::Scheduler& scheduler, PipelineListener listener);

  /// The probe list is wiring's; probes outlive the pipeline.
  void add_probe(core::Probe& probe) { probes_.push_back(&probe); }
  void start();

  void observe(core::Observation observation);
  [[nodiscard]] const std::vector<core::Probe*>& probes() const { return probes_; }
  [[nodiscard]] std::uint64_t events_dropped() const { return dropped_; }

 private:
  using Event = std::function<engine::Commands(const engine::Now&)>;
  void post(Event event);
  void drain();
  void perform(const engine::Command& command);
  void ask(const engine::AskWitness& question);
  void apply(const engine::ApplyStep& step);
  void run_step_tool(const engine::RunStepTool& tool);
  void book_tool_step(const core::ClockSnapshot& now);
  void run_hooks(const core::HookFacts& facts);
  void publish(const core::CorrectionReport& report);
  void arm(const engine::ArmDeadline& deadline);
  [[nodiscard]] engine::Now now();

  engine::Engine& engine_;
  Executor& executor_;
  core::ClockReader& clock_;
  core::Scheduler& scheduler_;
  PipelineListener listener_;
  std::vector<core::Probe*> probes_;
  std::deque<Event> queue_;
  bool draining_ = false;
  std::uint64_t dropped_ = 0;
  core::TimerHandle deadline_;
};

}  // namespace clockmend::app
