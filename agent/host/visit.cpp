#include "agent/host/visit.hpp"

#include <asio/steady_timer.hpp>
#include <string>
#include <utility>

#include "agent/host/print.hpp"
#include "agent/host/selection.hpp"

namespace clockmend::host {

namespace {

Verdict verdict_of_selection(const core::Error& error) {
  return error.code == core::ErrorCode::unavailable ? Verdict::no_libvirt : Verdict::no_agent;
}

class Reporter {
 public:
  Reporter(const VisitCommand& command, const Tools& tools, std::size_t guests)
      : command_(command), tools_(tools), guests_(guests), alone_(guests == 1 && !command.selection.all) {}

  void add(const Target& target, NotifyResult result) {
    result.verdict = judged(result, command_.max_offset);
    score_.add(result.verdict);
    const bool measured = command_.visit.measure;
    if (alone_) {
      const Printed printed = measured ? print_measured(target, result, command_.json) : print_result(result, command_.json);
      tools_.out(printed.output);
      tools_.err(printed.error);
      return;
    }
    if (tools_.progress) tools_.progress("\r\x1b[K");
    tools_.out(print_line(target, result, measured, command_.json));
    if (tools_.progress && score_.guests() < guests_)
      tools_.progress(std::to_string(score_.guests()) + " of " + std::to_string(guests_) + " guests, " + std::to_string(score_.done()) +
                      " done");
  }

  int finish() {
    if (!alone_) tools_.out(print_summary(score_, command_.json));
    return static_cast<int>(score_.verdict());
  }

 private:
  const VisitCommand& command_;
  const Tools& tools_;
  std::size_t guests_;
  bool alone_;
  Score score_;
};

}  // namespace

int run_visit(const VisitCommand& command, const Tools& tools) {
  asio::io_context loop{1};
  LeaseClient lease(loop, tools.clock);
  const core::nanoseconds whole = command.visit.options.deadline;
  const asio::steady_timer end(loop, whole);
  core::Result<std::vector<Target>> targets = targets_of(command.selection, lease, tools.libvirt, whole);
  if (!targets) {
    tools.err("clockmend-host: " + targets.error().text + "\n");
    return static_cast<int>(verdict_of_selection(targets.error()));
  }
  Visit visit = command.visit;
  visit.options.deadline = end.expiry() - asio::steady_timer(loop, core::nanoseconds::zero()).expiry();
  Reporter reporter(command, tools, targets->size());
  Fleet fleet(loop, tools.clock, std::move(visit), tools.in_backlog);
  fleet.start(std::move(*targets), [&](const Target& target, const NotifyResult& result) {
    reporter.add(target, result);
    if (!command.visit.measure) lease.done(target.socket, result.verdict);
  });
  loop.run();
  lease.give_back();
  return reporter.finish();
}

}  // namespace clockmend::host
