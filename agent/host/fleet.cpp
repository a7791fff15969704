#include "agent/host/fleet.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <memory>
#include <utility>

namespace clockmend::host {

Fleet::Fleet(asio::io_context& loop, core::ClockReader& clock, Visit visit, Session::InBacklog in_backlog, DialTo dial_to)
    : loop_(loop),
      clock_(clock),
      visit_(std::move(visit)),
      in_backlog_(std::move(in_backlog)),
      dial_to_(std::move(dial_to)),
      deadline_(loop) {}

void Fleet::start(std::vector<Target> targets, OnResult on_result) {
  targets_ = std::move(targets);
  on_result_ = std::move(on_result);
  deadline_.expires_after(visit_.options.deadline);
  const std::size_t workers = std::min(std::max<std::size_t>(visit_.parallel, 1), targets_.size());
  for (std::size_t i = 0; i < workers; ++i) asio::co_spawn(loop_, worker(), asio::detached);
}

asio::awaitable<void> Fleet::worker() {
  while (next_ < targets_.size()) {
    const Target& target = targets_[next_++];
    const NotifyResult result = co_await visit_one(target);
    on_result_(target, result);
  }
}

asio::awaitable<NotifyResult> Fleet::visit_one(const Target& target) {
  if (target.socket.empty() && !dial_to_)
    co_return NotifyResult{Verdict::no_agent, target.name() + ": " + target.trouble, std::nullopt, {}};
  // On the heap: its buffer would make every coroutine frame larger.
  const auto connection = std::make_unique<Connection>(loop_, clock_);
  const auto left = deadline_.expiry() - connection->after(core::nanoseconds::zero());
  if (left <= core::nanoseconds::zero())
    co_return NotifyResult{Verdict::timeout, target.name() + ": the deadline for all guests passed before its turn", std::nullopt, {}};
  NotifyOptions options = visit_.options;
  options.socket = target.socket;
  options.domain = target.domain;
  options.deadline = left;
  Session session(*connection, std::move(options), in_backlog_, dial_to_ ? dial_to_(target) : Session::Dial{});
  if (visit_.measure) co_return co_await session.measure();
  co_return co_await session.run();
}

}  // namespace clockmend::host
