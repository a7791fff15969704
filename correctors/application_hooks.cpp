#include "correctors/application_hooks.hpp"

#include <algorithm>
#include <utility>

#include "agent/core/printable.hpp"

namespace clockmend::correctors {
namespace {

// A correction has two rounds; programs so slow that more are waiting are told of none.
constexpr std::size_t kMostRounds = 8;
constexpr std::size_t kMostLines = 8;
constexpr std::size_t kMostOfALine = 200;

std::string in_milliseconds(core::nanoseconds v) {
  return std::to_string(std::chrono::duration_cast<core::milliseconds>(v).count()) + " ms";
}

/// "hooks.d/pre-step/10-hold" of the whole path.
std::string short_name(const std::string& program) {
  const auto at = program.rfind("hooks.d/");
  return core::printable_ascii(at == std::string::npos ? program : program.substr(at));
}

std::vector<std::string> first_lines(const std::string& output) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  while (from < output.size() && lines.size() < kMostLines) {
    const std::size_t end = std::min(output.find('\n', from), output.size());
    if (end > from) lines.push_back(core::printable_ascii(output.substr(from, std::min(end - from, kMostOfALine))));
    from = end + 1;
  }
  return lines;
}

}  // namespace

std::vector<std::string> hook_environment(const core::HookFacts& facts) {
  std::vector<std::string> words;
  const auto put = [&words](const char* name, const std::string& value) {
    words.push_back(std::string("CLOCKMEND_") + name + "=" + value);
  };
  put("HOOK", core::to_string(facts.point));
  put("CORRECTION", std::to_string(facts.correction));
  put("CAUSE", core::to_string(facts.cause));
  put("OFFSET_NS", std::to_string(facts.offset.value.count()));
  put("UNCERTAINTY_NS", facts.uncertainty ? std::to_string(facts.uncertainty->count()) : "");
  if (facts.point == core::HookPoint::post_step) put("VERIFIED", facts.verified ? "1" : "0");
  return words;
}

ApplicationHooks::ApplicationHooks(core::HookFinder& finder, core::HookRunner& runner, core::Scheduler& scheduler, std::string folder,
                                   core::HookSettings settings)
    : finder_(finder), runner_(runner), scheduler_(scheduler), folder_(std::move(folder)), settings_(settings) {}

void ApplicationHooks::look() {
  std::vector<std::string> notes;
  for (const core::HookPoint point : {core::HookPoint::pre_step, core::HookPoint::post_step}) {
    core::HookFiles found;
    if (settings_.enabled) found = finder_.find(folder_ + "/" + core::to_string(point));
    (point == core::HookPoint::pre_step ? pre_step_ : post_step_) = std::move(found.programs);
    notes.insert(notes.end(), found.notes.begin(), found.notes.end());
  }
  for (const std::string& text : notes)
    if (std::ranges::find(told_, text) == told_.end()) note("hook: " + text, true);
  told_ = std::move(notes);
}

void ApplicationHooks::run(const core::HookFacts& facts, core::nanoseconds patience, std::function<void()> done) {
  if (!any(facts.point) || rounds_.size() >= kMostRounds) {
    if (!rounds_.empty()) note(std::string("hooks of ") + core::to_string(facts.point) + " are left out: earlier ones still run", true);
    if (done) done();
    return;
  }
  auto round = std::make_shared<Round>(Round{facts, at(facts.point), std::move(done), {}});
  if (round->done && patience > core::nanoseconds::zero())
    round->patience = scheduler_.after(patience, [this, weak = std::weak_ptr(round)] {
      const auto late = weak.lock();
      if (!late || !late->done) return;
      note("the step waits no longer for the pre-step hooks", true);
      release(*late);
    });
  const bool idle = rounds_.empty();
  rounds_.push_back(std::move(round));
  if (idle) next();
}

void ApplicationHooks::release(Round& round) {
  // The timer may be the one that called us: kept until we are through.
  const core::TimerHandle keep = std::move(round.patience);
  if (const auto done = std::exchange(round.done, nullptr)) done();
}

void ApplicationHooks::next() {
  while (!rounds_.empty() && position_ == rounds_.front()->programs.size()) {
    const std::shared_ptr<Round> over = rounds_.front();
    rounds_.pop_front();
    position_ = 0;
    release(*over);
  }
  if (rounds_.empty()) return;
  const std::string program = rounds_.front()->programs[position_++];
  runner_.run_hook(
      program, hook_environment(rounds_.front()->facts), settings_.deadline,
      [this, program, begun = scheduler_.now()](const core::Result<core::CommandResult>& result) { ended(program, begun, result); });
}

void ApplicationHooks::ended(const std::string& program, core::MonotonicPoint begun, const core::Result<core::CommandResult>& result) {
  const std::string name = short_name(program);
  const std::string after = " after " + in_milliseconds(scheduler_.now() - begun);
  if (!result)
    note(name + " failed" + after + ": " + core::printable_ascii(result.error().text), true);
  else
    note(name + " ended with " + std::to_string(result->exit_code) + after, result->exit_code != 0);
  if (result)
    for (const std::string& line : first_lines(result->output)) note(name + ": " + line, false);
  next();
}

void ApplicationHooks::note(const std::string& text, bool failed) const {
  if (on_note_) on_note_(text, failed);
}

}  // namespace clockmend::correctors
