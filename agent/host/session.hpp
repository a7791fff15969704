// One visit to one guest: synchronise, exchange stamps, and, for a notice, tell it and wait for its report. A session never
// blocks the loop, so many can run beside each other.
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
  std::string domain;        // libvirt's name; empty: the guest is only known by its socket
  wire::ClockNotify notice;  // `sent` and `exchange` are filled in by the session
  bool exchange = true;
  core::nanoseconds deadline = core::seconds{30};        // for everything together
  core::nanoseconds answer_deadline = core::seconds{5};  // for the agent's first word, once the port is ours
  std::uint64_t nonce = 0;                               // random: tells our answers from those to a client before us
};

/// What the guest is called in messages.
[[nodiscard]] inline const std::string& name_of(const NotifyOptions& options) {
  return options.domain.empty() ? options.socket : options.domain;
}

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
  /// Connects by the connection's deadline.
  using Dial = std::function<asio::awaitable<core::Status>(Connection& connection)>;

  /// `connection` is unconnected and outlives the session. Without `dial` it connects to the options' socket.
  Session(Connection& connection, NotifyOptions options, InBacklog in_backlog, Dial dial = {});

  /// The whole notice.
  [[nodiscard]] asio::awaitable<NotifyResult> run();
  /// Only the exchange: the guest's clock is read and nothing is told. `done` with at least one round, and no reply.
  [[nodiscard]] asio::awaitable<NotifyResult> measure();
  /// The report that answers the notice `id`, from the guest's history. `timeout`: there is none (yet).
  [[nodiscard]] asio::awaitable<NotifyResult> recall(std::string id);

 private:
  using Failure = std::optional<NotifyResult>;

  [[nodiscard]] asio::awaitable<Failure> reach();
  [[nodiscard]] asio::awaitable<Failure> open();
  [[nodiscard]] asio::awaitable<Failure> synchronise();
  [[nodiscard]] asio::awaitable<core::Result<bool>> sync_once(std::int64_t id);
  [[nodiscard]] asio::awaitable<core::Status> exchange();
  [[nodiscard]] asio::awaitable<core::Result<wire::Quadruple>> exchange_round();
  [[nodiscard]] asio::awaitable<core::Result<wire::Reply>> ask(wire::Request request);
  [[nodiscard]] Connection::Deadline at_most(core::nanoseconds d);

  Connection& connection_;
  NotifyOptions options_;
  InBacklog in_backlog_;
  Dial dial_;
  Connection::Deadline end_;
  std::uint64_t asked_ = 0;
  core::ClockSnapshot heard_;  // when the last answer came
  core::ClockSnapshot sent_;   // when the last request was written
  std::vector<wire::Quadruple> rounds_;
};

}  // namespace clockmend::host
