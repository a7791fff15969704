#include "agent/host/lease_client.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

namespace clockmend::host {

namespace {

constexpr core::milliseconds kTellDeadline{200};

std::string lines_of(const LeaseQuery& query) {
  std::string lines;
  for (const std::string& socket : query.sockets) lines += lease_line(LeaseAsk{AskSocket{socket}});
  for (const std::string& domain : query.domains) lines += lease_line(LeaseAsk{AskDomain{domain}});
  if (query.all) lines += lease_line(LeaseAsk{AskAll{}});
  return lines + lease_line(LeaseAsk{AskEnd{}});
}

}  // namespace

LeaseClient::LeaseClient(asio::io_context& loop, core::ClockReader& clock) : loop_(loop), connection_(loop, clock) {}

std::optional<std::vector<LeasedGuest>> LeaseClient::take(const std::string& control, const LeaseQuery& query, core::nanoseconds deadline) {
  core::Result<std::vector<LeasedGuest>> answer = core::Error{core::ErrorCode::io, "no answer"};
  connection_.set_deadline(connection_.after(deadline));
  asio::co_spawn(loop_, ask_into(answer, control, lines_of(query)), asio::detached);
  loop_.run();
  loop_.restart();
  if (!answer) return std::nullopt;
  taken_ = true;
  return std::move(*answer);
}

asio::awaitable<void> LeaseClient::ask_into(core::Result<std::vector<LeasedGuest>>& answer, std::string control, std::string lines) {
  answer = co_await ask(std::move(control), std::move(lines));
}

asio::awaitable<core::Result<std::vector<LeasedGuest>>> LeaseClient::ask(std::string control, std::string lines) {
  const core::Status connected = co_await connection_.connect(control);
  if (!connected) co_return connected.error();
  const core::Status sent = co_await connection_.send(std::move(lines));
  if (!sent) co_return sent.error();
  std::vector<LeasedGuest> guests;
  for (;;) {
    const core::Result<Incoming> incoming = co_await connection_.receive();
    if (!incoming) co_return incoming.error();
    core::Result<LeaseAnswer> answer = parse_lease_answer(incoming->line.text);
    if (!answer) co_return answer.error();
    if (const auto* no = std::get_if<LeaseNo>(&*answer)) co_return core::Error{core::ErrorCode::unavailable, no->why};
    if (std::holds_alternative<LeaseGo>(*answer)) co_return std::move(guests);
    guests.push_back(std::get<LeasedGuest>(*answer));
  }
}

void LeaseClient::done(const std::string& socket, Verdict verdict) {
  if (taken_ && !socket.empty()) told_ += lease_line(LeaseAsk{TellDone{socket, static_cast<int>(verdict)}});
}

void LeaseClient::give_back() {
  if (!taken_ || told_.empty()) return;
  loop_.restart();
  asio::co_spawn(loop_, tell(), asio::detached);
  loop_.run();
}

asio::awaitable<void> LeaseClient::tell() {
  connection_.set_deadline(connection_.after(kTellDeadline));
  // `watch` then need not tell them again; if it does not hear this, they find their clocks right.
  static_cast<void>(co_await connection_.send(told_));
}

}  // namespace clockmend::host
