// systemd as far as a time daemon needs it: units with aliases, jobs that take time, hang or fail, Conflicts=.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/ports/service_manager.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::fakes {

class FakeServices final : public core::ServiceManager {
 public:
  struct Unit {
    core::UnitState state;
    std::vector<std::string> conflicts;  // stopped when this one starts
    core::nanoseconds stop_takes{core::milliseconds{200}};
    core::nanoseconds start_takes{core::milliseconds{400}};
    std::optional<core::Error> query_error;
    std::optional<core::Error> stop_error;
    std::optional<core::Error> start_error;
    std::string after_start = "running";          // running | failed | exited: what a start leads to
    std::optional<core::nanoseconds> dies_after;  // running at first, failed so much later
  };

  explicit FakeServices(FakeScheduler& scheduler) : scheduler_(scheduler) {}

  Unit& add(const std::string& id, bool running) {
    Unit& unit = units_[id];
    unit.state.id = id;
    unit.state.load_state = "loaded";
    unit.state.result = "success";
    if (running)
      run(unit);
    else
      rest(unit, "inactive");
    return unit;
  }
  void alias(const std::string& name, const std::string& id) { aliases_[name] = id; }
  Unit& unit(const std::string& name) { return units_.at(resolve(name)); }
  /// Somebody else's systemctl start / stop.
  void run(Unit& unit) {
    unit.state.active_state = "active";
    unit.state.sub_state = "running";
    unit.state.invocation_id = "run" + std::to_string(++runs_);
  }
  void rest(Unit& unit, const std::string& active_state, const std::string& result = "success") {
    unit.state.active_state = active_state;
    unit.state.sub_state = active_state == "failed" ? "failed" : "dead";
    unit.state.result = result;
  }

  void query(const std::string& name, core::milliseconds deadline, Reply reply) override {
    Unit* unit = lookup(name);
    if (bus_error) return answer(round_trip, reply, *bus_error);
    if (unit == nullptr) return answer(round_trip, reply, core::Error{core::ErrorCode::not_found, name + ": no such unit"});
    if (unit->query_error) return answer(round_trip, reply, *unit->query_error);
    (void)deadline;
    scheduler_.post_after(round_trip, [unit, reply] { reply(unit->state); });
  }

  void stop(const std::string& name, core::milliseconds deadline, Reply reply) override {
    log.push_back("stop " + name);
    Unit* unit = lookup(name);
    if (bus_error) return answer(round_trip, reply, *bus_error);
    if (unit == nullptr) return answer(round_trip, reply, core::Error{core::ErrorCode::not_found, name + ": no such unit"});
    if (unit->stop_error) return answer(round_trip, reply, *unit->stop_error);
    unit->state.active_state = "deactivating";
    unit->state.sub_state = "stop-sigterm";
    const std::uint64_t job = ++jobs_[unit];
    scheduler_.post_after(unit->stop_takes, [this, unit, job] {
      if (jobs_[unit] == job) rest(*unit, "inactive");
    });
    if (unit->stop_takes > deadline)
      return answer(deadline, reply,
                    core::Error{core::ErrorCode::timeout, name + " did not stop within " + std::to_string(deadline.count()) + " ms"});
    scheduler_.post_after(unit->stop_takes, [unit, reply] { reply(unit->state); });
  }

  void start(const std::string& name, core::milliseconds deadline, Reply reply) override {
    log.push_back("start " + name);
    Unit* unit = lookup(name);
    if (bus_error) return answer(round_trip, reply, *bus_error);
    if (unit == nullptr) return answer(round_trip, reply, core::Error{core::ErrorCode::not_found, name + ": no such unit"});
    if (unit->state.load_state == "masked") return answer(round_trip, reply, core::Error{core::ErrorCode::invalid, name + " is masked"});
    if (unit->start_error) return answer(round_trip, reply, *unit->start_error);
    if (unit->state.running()) return answer(round_trip, reply, unit->state);
    const std::uint64_t job = ++jobs_[unit];
    for (const std::string& other : unit->conflicts)
      if (Unit* o = lookup(other); o != nullptr && o->state.running()) rest(*o, "inactive");
    scheduler_.post_after(unit->start_takes, [this, unit, job] {
      if (jobs_[unit] == job) started(*unit);
    });
    if (unit->start_takes > deadline)
      return answer(deadline, reply,
                    core::Error{core::ErrorCode::timeout, name + " did not start within " + std::to_string(deadline.count()) + " ms"});
    scheduler_.post_after(unit->start_takes, [unit, reply] { reply(unit->state); });
  }

  void system_stopping(core::milliseconds, std::function<void(core::Result<bool>)> reply) override {
    scheduler_.post_after(round_trip, [this, reply] { bus_error ? reply(*bus_error) : reply(stopping); });
  }

  // What the test may set freely.
  bool stopping = false;
  std::optional<core::Error> bus_error;
  core::nanoseconds round_trip{core::milliseconds{2}};
  // What happened: "stop ntpsec.service", "start ..." in order.
  std::vector<std::string> log;

 private:
  [[nodiscard]] std::string resolve(const std::string& name) const {
    const auto at = aliases_.find(name);
    return at == aliases_.end() ? name : at->second;
  }
  Unit* lookup(const std::string& name) {
    const auto at = units_.find(resolve(name));
    return at == units_.end() ? nullptr : &at->second;
  }
  void answer(core::nanoseconds delay, const Reply& reply, core::Result<core::UnitState> what) {
    scheduler_.post_after(delay, [reply, what = std::move(what)] { reply(what); });
  }
  void started(Unit& unit) {
    run(unit);
    if (unit.after_start == "failed") rest(unit, "failed", "exit-code");
    if (unit.after_start == "exited") unit.state.sub_state = "exited";
    if (unit.dies_after)
      scheduler_.post_after(*unit.dies_after, [this, u = &unit, id = unit.state.invocation_id] {
        if (u->state.invocation_id == id) rest(*u, "failed", "exit-code");
      });
  }

  FakeScheduler& scheduler_;
  std::map<std::string, Unit> units_;
  std::map<std::string, std::string> aliases_;
  std::map<Unit*, std::uint64_t> jobs_;
  std::uint64_t runs_ = 0;
};

}  // namespace clockmend::fakes
