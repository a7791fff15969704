#include "agent/app/daemon_health.hpp"

namespace clockmend::app {
namespace {

std::string health(const std::string& outcome, const std::string& since) {
  return outcome.empty() || since.empty() ? outcome : outcome + ", " + since;
}

}  // namespace

std::string in_words(const correctors::SyncWatch& watch) {
  switch (watch.state()) {
    case correctors::SyncWatch::State::idle:
      return "";
    case correctors::SyncWatch::State::waiting:
      return "not yet synchronising";
    case correctors::SyncWatch::State::again:
      // Looked at once a second at most: no more precise than that.
      return "synchronising again after " + std::to_string(std::chrono::round<core::seconds>(*watch.took()).count()) + " s";
    case correctors::SyncWatch::State::given_up:
      return "still not synchronising half an hour later";
  }
  return "";
}

std::vector<core::DaemonStatus> daemon_status(const correctors::TimeDaemons& daemons, const correctors::SyncWatch& watch,
                                              const std::string& problem) {
  std::vector<core::DaemonStatus> all;
  for (const correctors::ManagedUnit& u : daemons.known()) {
    core::DaemonStatus d;
    d.unit = u.unit;
    d.active_state = u.state.active_state;
    d.sub_state = u.state.sub_state;
    d.invocation_id = u.state.invocation_id;
    d.running = u.state.running();
    d.problem = problem;
    d.action = to_string(u.action);
    d.health = health(daemons.last_outcome(u.unit), in_words(watch));
    all.push_back(std::move(d));
  }
  return all;
}

}  // namespace clockmend::app
