// One notice to one guest: synchronise, exchange stamps, notify, wait for the report. A session never blocks the loop, so
// many can run beside each other.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/connection.hpp"
#include "agent/host/verdict.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::host {

struct NotifyOptions {
  std::string socket;
  wire::ClockNotify notice;  // `sent` and `exchange` are filled in by the session
  bool exchange = true;
  core::nanoseconds deadline = core::seconds{30};        // for everything together
  core::nanoseconds answer_deadline = core::seconds{5};  // for the agent's first word, once the port is ours
  std::uint64_t nonce = 0;                               // random: tells our answers from those to a client before us
};

struct NotifyResult {
  Verdict verdict = Verdict::protocol;
  std::string text;  // one line why, for everything but a report
  std::optional<wire::NotifyReply> reply;
  std::vector<wire::Quadruple> rounds;  // the exchange as sent
};

class Session {
 public:
  /// Whether a connection to this path waits behind another client.
  using InBacklog = std::function<bool(const std::string& path)>;

  /// `connection` is unconnected and outlives the session.
  Session(Connection& connection, NotifyOptions options, InBacklog in_backlog);

  [[nodiscard]] asio::awaitable<NotifyResult> run();

 private:
  using Failure = std::optional<NotifyResult>;

  [[nodiscard]] asio::awaitable<Failure> open();
  [[nodiscard]] asio::awaitable<Failure> synchronise();
  [[nodiscard]] asio::awaitable<core::Result<bool>> sync_once(std::int64_t id);
  [[nodiscard]] asio::awaitable<void> exchange();
  [[nodiscard]] asio::awaitable<core::Result<wire::Quadruple>> exchange_round();
  [[nodiscard]] asio::awaitable<core::Result<wire::Reply>> ask(wire::Request request);
  [[nodiscard]] Connection::Deadline at_most(core::nanoseconds d);

  Connection& connection_;
  NotifyOptions options_;
  InBacklog in_backlog_;
  Connection::Deadline end_;
  std::uint64_t asked_ = 0;
  core::ClockSnapshot heard_;  // when the last answer came
  core::ClockSnapshot sent_;   // when the last request was written
  std::vector<wire::Quadruple> rounds_;
};

}  // namespace clockmend::host
