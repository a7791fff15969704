#include "agent/host/visit.hpp"

#include <string>
#include <utility>

#include "agent/host/print.hpp"
#include "agent/host/socket_folder.hpp"

namespace clockmend::host {

namespace {

core::Result<std::vector<Target>> targets_of(const Selection& selection) {
  std::vector<Target> targets;
  for (const std::string& socket : selection.sockets) targets.push_back({socket, ""});
  if (!selection.all) return targets;
  const core::Result<std::vector<std::string>> found = sockets_in(selection.directory);
  if (!found) return found.error();
  for (const std::string& socket : *found) targets.push_back({socket, ""});
  return targets;
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
  core::Result<std::vector<Target>> targets = targets_of(command.selection);
  if (!targets) {
    tools.err("clockmend-host: " + targets.error().text + "\n");
    return static_cast<int>(Verdict::no_agent);
  }
  asio::io_context loop{1};
  Reporter reporter(command, tools, targets->size());
  Fleet fleet(loop, tools.clock, command.visit, tools.in_backlog);
  fleet.start(std::move(*targets), [&reporter](const Target& target, const NotifyResult& result) { reporter.add(target, result); });
  loop.run();
  return reporter.finish();
}

}  // namespace clockmend::host
