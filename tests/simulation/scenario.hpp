// One row of a scenario table: a machine, what happens to it, and how it must end.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "tests/simulation/guest.hpp"

namespace clockmend::sim {

/// A machine with the agent on it, left alone until everything is learned.
class Machine {
 public:
  explicit Machine(const MachineSpec& machine, const core::Policy& policy = default_policy(), std::uint64_t seed = 1,
                   nanoseconds settle = 60s)
      : world(machine, seed), guest(world, policy, machine.servers.size()) {
    world.run(settle);
    guest.reports.clear();
    world.steps.clear();
    world.network.sent.clear();
    ran_before = world.scheduler.ran;
  }
  [[nodiscard]] const core::CorrectionReport& report() const { return guest.reports.at(guest.reports.size() - 1); }
  /// |truth - REALTIME| now.
  [[nodiscard]] nanoseconds error() const { return core::magnitude(world.clock.error()); }
  /// The host tells what happened `after` the resume.
  void host_tells(core::NoticeEvent event, bool exchange, nanoseconds after = 30ms) {
    world.scheduler.post_after(after, [this, event, exchange] { guest.notify(world.notice(event, exchange)); });
  }

  World world;
  Guest guest;
  bool admin_stopped = false;    // somebody stopped the time daemon and meant it
  std::uint64_t ran_before = 0;  // calls while it settled
};

struct Expect {
  nanoseconds error = 5ms;                 // final |truth - REALTIME|
  std::optional<unsigned> steps{};         // by the agent, trims included; nothing: any number
  std::optional<core::Outcome> outcome{};  // of the last report; nothing: there must be none
  core::ClockState state = core::ClockState::synchronized;
  std::optional<nanoseconds> right_within{};  // virtual time from the event to the first step
  bool honest = true;                         // every step's stated error must hold; not where somebody lies to the agent
};

struct Scenario {
  const char* name;
  MachineSpec machine;
  core::Policy policy = default_policy();
  std::function<void(Machine&)> script;
  nanoseconds then_run = 20s;
  Expect expect;
};

/// Parameter names for gtest: the scenario's own, in the letters it allows.
[[nodiscard]] std::string test_name(const std::string& text);
template <std::size_t N>
auto named(const Scenario (&table)[N]) {
  return [&table](const testing::TestParamInfo<std::size_t>& info) { return test_name(table[info.param].name); };
}

/// What happened, for a failing test's output.
[[nodiscard]] std::string story(const Machine& run);
/// Plays it and checks it, and what must hold for every one: daemon running again, each notice answered once.
void play(const Scenario& s, std::uint64_t seed = 1);
/// What a step's record says about its own error must hold.
void check_stated_errors(const Machine& run);
/// The part of play() after the script.
void check(const Scenario& s, Machine& run);

}  // namespace clockmend::sim
