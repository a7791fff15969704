#include "tests/simulation/scenario.hpp"

#include <cctype>
#include <cmath>

namespace clockmend::sim {
namespace {

double ms(nanoseconds v) { return static_cast<double>(v.count()) / 1e6; }

}  // namespace

void check_stated_errors(const Machine& run) {
  for (const auto& report : run.guest.reports)
    for (const auto& action : report.actions) {
      if (action.kind != core::ActionKind::step || !action.ok || !action.uncertainty) continue;
      for (const auto& s : run.world.steps) {
        if (s.amount != action.offset->value) continue;
        EXPECT_LE(std::abs(ms(s.error_after)), ms(*action.uncertainty) + 1.0) << "a step beyond its stated error";
      }
    }
}

std::string test_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

std::string story(const Machine& run) {
  std::string text;
  for (const auto& r : run.guest.reports) {
    text += "\n  report " + std::to_string(r.number) + ": " + core::to_string(r.outcome) + ", " + r.reason + " [" +
            r.discontinuity.tripwire + "]";
    for (const auto& e : r.discontinuity.evidence)
      text += "\n    " + std::string(core::to_string(e.reading.witness)) + " " + core::to_string(e.basis) + " " +
              std::to_string(ms(e.needed.middle().value)) + " +- " + std::to_string(ms(e.needed.half_width())) + " ms" +
              (e.used ? " used" : "");
    for (const auto& a : r.actions)
      text += "\n    " + std::string(core::to_string(a.kind)) + " " + std::to_string(ms(a.begun)) + ".." + std::to_string(ms(a.ended)) +
              " " + a.detail + (a.offset ? " offset " + std::to_string(ms(a.offset->value)) : "");
  }
  for (const auto& s : run.world.steps)
    text += "\n  step " + std::to_string(ms(s.amount)) + " ms, " + std::to_string(ms(s.since_event)) + " ms after the event";
  for (const auto& n : run.guest.notes) text += "\n  note " + n;
  text += "\n  " + std::to_string(run.world.network.sent.size()) + " NTP requests, " + std::to_string(run.world.rtc.reads) + " RTC reads";
  return text + "\n  state " + core::to_string(run.guest.engine().state()) + ": " + run.guest.engine().state_reason();
}

void check(const Scenario& s, Machine& run) {
  SCOPED_TRACE(std::string(s.name) + story(run));
  EXPECT_LE(std::abs(ms(run.world.error())), ms(s.expect.error)) << "final error";
  if (s.expect.steps) {
    EXPECT_EQ(run.world.steps.size(), *s.expect.steps) << "steps";
  }
  if (s.expect.outcome) {
    EXPECT_FALSE(run.guest.reports.empty()) << "no report";
    if (!run.guest.reports.empty()) {
      EXPECT_STREQ(core::to_string(run.report().outcome), core::to_string(*s.expect.outcome));
    }
  } else {
    EXPECT_EQ(run.guest.reports.size(), 0U) << "reports";
  }
  EXPECT_STREQ(core::to_string(run.guest.engine().state()), core::to_string(s.expect.state));
  if (s.expect.right_within && !run.world.steps.empty()) {
    EXPECT_LE(ms(run.world.steps.front().since_event), ms(*s.expect.right_within)) << "time to the first step";
  }
  EXPECT_FALSE(run.guest.engine().busy()) << "still at it";
  if (s.expect.honest) check_stated_errors(run);
  if (s.policy.sequence == core::Sequence::stop_first) {
    for (const auto& step : run.world.steps) EXPECT_FALSE(step.daemon_ran) << "stepped under a running daemon";
  }
  if (s.machine.daemon != DaemonKind::none) {
    EXPECT_TRUE(run.world.daemon_running()) << "time daemon";
  }
  for (const auto& [id, times] : run.guest.sent) EXPECT_EQ(run.guest.answers[id], times) << "answers to " << id;
}

void play(const Scenario& s, std::uint64_t seed) {
  Machine run(s.machine, s.policy, seed);
  s.script(run);
  run.world.run(s.then_run);
  check(s, run);
}

}  // namespace clockmend::sim
