// Many guests on one loop: so many sessions at a time and no more, and one deadline over all of them.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "agent/host/session.hpp"

namespace clockmend::host {

struct Target {
  std::string socket;   // empty: it cannot be visited, see trouble
  std::string domain;   // libvirt's name; empty: known by its socket only
  std::string trouble;  // why there is no socket

  [[nodiscard]] const std::string& name() const { return domain.empty() ? socket : domain; }
};

/// What to do with each of them. The options' deadline counts for all guests together.
struct Visit {
  NotifyOptions options;
  bool measure = false;        // only the exchange
  std::size_t parallel = 256;  // sessions at a time; each holds one descriptor and about 20 KiB
};

class Fleet {
 public:
  /// How to reach a guest; an empty Dial means its socket.
  using DialTo = std::function<Session::Dial(const Target& target)>;
  using OnResult = std::function<void(const Target& target, const NotifyResult& result)>;

  Fleet(asio::io_context& loop, core::ClockReader& clock, Visit visit, Session::InBacklog in_backlog, DialTo dial_to = {});
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// `on_result` comes once for every target, in the order they end. Once per fleet; it must outlive the loop's work.
  void start(std::vector<Target> targets, OnResult on_result);

 private:
  [[nodiscard]] asio::awaitable<void> worker();
  [[nodiscard]] asio::awaitable<NotifyResult> visit_one(const Target& target);

  asio::io_context& loop_;
  core::ClockReader& clock_;
  Visit visit_;
  Session::InBacklog in_backlog_;
  DialTo dial_to_;
  OnResult on_result_;
  std::vector<Target> targets_;
  std::size_t next_ = 0;
  asio::steady_timer deadline_;
};

}  // namespace clockmend::host
