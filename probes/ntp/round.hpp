// One measurement: all servers asked in parallel, ended as early as the answers allow.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/ntp/exchange.hpp"
#include "probes/ntp/selection.hpp"
#include "probes/ntp/server.hpp"

namespace clockmend::probes::ntp {

struct RoundPlan {
  core::RealtimePoint floor{};
  core::RealtimePoint ceiling{};
  core::nanoseconds timeout{};       // per attempt
  core::nanoseconds deadline{};      // for the whole round
  core::nanoseconds wanted_error{};  // a majority this exact ends it
  /// Nobody waits: hear everybody out, so that falsetickers and dead servers are known before they matter.
  bool hear_all = false;
};

struct RoundAnswer {
  std::shared_ptr<Server> server;
  std::optional<Sample> sample;
  ExchangeFailure failure;  // if there is no sample
  bool asked = false;
  std::optional<core::MonotonicPoint> deferred_until;  // not asked, for our own limit alone
  bool unfinished = false;                             // the round did not need to wait for it
  bool truechimer = false;
};

struct RoundResult {
  std::vector<RoundAnswer> answers;
  Selection selection;
  core::nanoseconds took{};
};

/// Ends when (a) a strict majority of all servers intersects within `wanted_error`; (b) such a majority stands but is less
/// exact: a moment later, as long as the slowest answer took; (c) everybody has answered or failed; (d) at the deadline.
/// So a dead server costs nothing once a majority of all stands. With `hear_all` only (c) and (d) count.
class Round {
 public:
  /// `done` is called once, from the event loop; it may destroy this object.
  Round(ExchangePorts ports, RoundPlan plan, std::function<void(const RoundResult&)> done);
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  /// Asks one more server at once, or as soon as its budget allows. Also while the round runs (fresh addresses).
  void add(const std::shared_ptr<Server>& server);
  /// Names still being resolved: each counts as one server that has not answered.
  void set_pending_names(std::size_t n);
  /// We stepped the clock: samples taken before it are dropped and those servers asked again.
  void own_step(const core::ClockSnapshot& after);

  [[nodiscard]] core::MonotonicPoint started() const { return started_; }
  /// No server could be asked yet, and our own limit is the only reason.
  [[nodiscard]] bool deferred() const;
  /// Most servers could be asked once more now or after their headway.
  [[nodiscard]] bool can_be_repeated() const;

 private:
  struct Entry {
    RoundAnswer answer;
    std::unique_ptr<Exchange> exchange;
    core::TimerHandle deferred;  // waits for the server's budget
    unsigned samples = 0;
    [[nodiscard]] bool busy() const { return exchange != nullptr || deferred != nullptr; }
  };

  void ask(Entry& entry);
  void launch(Entry& entry, core::nanoseconds timeout, bool may_retry);
  void on_result(Entry& entry, const ExchangeResult& result);
  void accept(Entry& entry, const Sample& sample);
  void fail(Entry& entry, const ExchangeFailure& failure);
  [[nodiscard]] bool wants_another(const Entry& entry) const;
  void evaluate();
  void evaluate_soon();
  [[nodiscard]] Selection current() const;
  [[nodiscard]] bool busy() const;
  void finish();

  ExchangePorts ports_;
  RoundPlan plan_;
  std::function<void(const RoundResult&)> done_;
  core::MonotonicPoint started_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t pending_names_ = 0;
  core::TimerHandle deadline_;
  core::TimerHandle grace_;
  core::TimerHandle soon_;
};

}  // namespace clockmend::probes::ntp
