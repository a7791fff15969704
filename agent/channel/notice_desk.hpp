// Where notices of all connections meet: repeats are dropped, floods are thinned to the newest, nothing is lost.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/channel/agent.hpp"
#include "agent/channel/token_bucket.hpp"
#include "agent/wire/reply.hpp"

namespace clockmend::channel {

/// For status and metrics; they only grow.
struct Counters {
  std::uint64_t notices = 0;            // well-formed notices that arrived, by whatever verb
  std::uint64_t notices_dropped = 0;    // repeated, stale, or a `pausing` too many
  std::uint64_t notices_coalesced = 0;  // deferred and then replaced by a newer one, whose report answers both
  std::uint64_t bad_lines = 0;          // not a request: garbage, unknown command, bad arguments, too long
  std::uint64_t rate_limited = 0;       // requests refused because too many came
};

class NoticeDesk {
 public:
  /// Starts of work: 3 at once, then one per 10 s. What comes faster waits, and only the newest of it.
  static constexpr unsigned kBurst = 3;
  static constexpr core::seconds kInterval{10};
  /// A notice whose exchange proves the clock wrong does not wait behind that: this only bounds what a mad host can cause.
  static constexpr unsigned kProvedBurst = 30;
  static constexpr core::seconds kProvedInterval{2};
  static constexpr core::seconds kIdWindow{600};
  /// For notices without an id: several hooks of one event fire within this.
  static constexpr core::seconds kEventWindow{2};
  static constexpr std::size_t kRemembered = 64;

  NoticeDesk(Agent& agent, Counters& counters) : agent_(agent), counters_(counters) {}

  /// accepted, deferred, repeated or dropped. `done` as in Agent::notify; not called for the last two. `operator_request`: a local
  /// administrator asked, no rate applies.
  [[nodiscard]] wire::Disposition submit(core::HostNotice notice, Agent::OnReport done, bool operator_request);

 private:
  struct Seen {
    std::string key;
    core::MonotonicPoint until;
  };
  struct Deferred {
    core::HostNotice notice;
    std::vector<Agent::OnReport> waiting;
  };

  [[nodiscard]] bool repeated(const core::HostNotice& notice);
  void hand_over(core::HostNotice notice, Agent::OnReport done);
  void defer(core::HostNotice notice, Agent::OnReport done);
  void hand_over_deferred();

  Agent& agent_;
  Counters& counters_;
  TokenBucket starts_{kBurst, kInterval};
  TokenBucket proved_{kProvedBurst, kProvedInterval};
  TokenBucket baselines_{10, core::seconds(1)};  // pausing: a measurement, no correction
  std::deque<Seen> seen_;
  std::optional<Deferred> deferred_;
  core::TimerHandle timer_;
};

}  // namespace clockmend::channel
