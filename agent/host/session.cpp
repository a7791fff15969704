#include "agent/host/session.hpp"

#include <algorithm>
#include <utility>

#include "agent/host/answer.hpp"
#include "agent/host/exchange.hpp"

namespace clockmend::host {

namespace {

using core::ErrorCode;

// A guest whose port opens late gets the request again; while it is closed QEMU keeps the bytes, so more would pile up.
constexpr core::milliseconds kSyncAgain{1000};
// The whole exchange: a guest that cannot answer eight times in this is told without the host's time.
constexpr core::seconds kExchangeDeadline{2};
// The host's own clock was set between two rounds: they cannot be compared.
constexpr core::milliseconds kHostStep{1};
// Answers to somebody else's questions that may still lie in the port.
constexpr int kMaxStray = 64;
// A guest that was told several times in a row has as many records.
constexpr std::size_t kRecallRecords = 8;
// JSON integers that every client keeps exactly.
constexpr std::uint64_t kSyncIdMask = (std::uint64_t{1} << 53) - 1;

NotifyResult failed(Verdict verdict, std::string text) { return {verdict, std::move(text), std::nullopt, {}}; }

std::int64_t ns(core::RealtimePoint t) { return t.time_since_epoch().count(); }

}  // namespace

Session::Session(Connection& connection, NotifyOptions options, InBacklog in_backlog, Dial dial)
    : connection_(connection), options_(std::move(options)), in_backlog_(std::move(in_backlog)), dial_(std::move(dial)) {}

Connection::Deadline Session::at_most(core::nanoseconds d) { return std::min(end_, connection_.after(d)); }

asio::awaitable<NotifyResult> Session::run() {
  Failure failure = co_await reach();
  if (failure) co_return std::move(*failure);
  if (options_.exchange) {
    // An agent that does not answer this, or not in time, is still worth telling.
    static_cast<void>(co_await exchange());
  }

  connection_.set_deadline(end_);
  options_.notice.sent = connection_.clock().snapshot().realtime;
  options_.notice.exchange = rounds_;
  core::Result<wire::Reply> answer = co_await ask(options_.notice);
  if (!answer) co_return failed(verdict_of(answer.error()), answer.error().text);
  if (answer->error) co_return failed(verdict_of(answer->error->error_class), "the agent says: " + answer->error->text);
  core::Result<wire::NotifyReply> reply = wire::parse_notify_reply(answer->value_json);
  if (!reply) co_return failed(Verdict::protocol, reply.error().text);
  const Verdict verdict = verdict_of(*reply);
  co_return NotifyResult{verdict, reply->note, std::move(*reply), rounds_};
}

asio::awaitable<NotifyResult> Session::measure() {
  Failure failure = co_await reach();
  if (failure) co_return std::move(*failure);
  const core::Status measured = co_await exchange();
  if (!rounds_.empty()) co_return NotifyResult{Verdict::done, "", std::nullopt, rounds_};
  if (!measured) co_return failed(verdict_of(measured.error()), name_of(options_) + ": " + measured.error().text);
  co_return failed(Verdict::protocol, name_of(options_) + ": the guest's stamps are impossible, or this host's clock was set meanwhile");
}

asio::awaitable<NotifyResult> Session::recall(std::string id) {
  Failure failure = co_await reach();
  if (failure) co_return std::move(*failure);
  connection_.set_deadline(end_);
  const core::Result<wire::Reply> answer = co_await ask(wire::ClockHistory{kRecallRecords, std::nullopt});
  if (!answer) co_return failed(verdict_of(answer.error()), answer.error().text);
  if (answer->error) co_return failed(verdict_of(answer->error->error_class), "the agent says: " + answer->error->text);
  const core::Result<wire::HistoryPage> page = wire::parse_history_page(answer->value_json);
  if (!page) co_return failed(Verdict::protocol, page.error().text);
  for (const core::CorrectionReport& record : page->records) {
    if (std::find(record.notices.begin(), record.notices.end(), id) == record.notices.end()) continue;
    NotifyResult result{verdict_of(record.outcome), record.reason, wire::NotifyReply{}, {}};
    result.reply->id = id;
    result.reply->report = record;
    co_return result;
  }
  co_return failed(Verdict::timeout, name_of(options_) + ": no report yet");
}

asio::awaitable<Session::Failure> Session::reach() {
  end_ = connection_.after(options_.deadline);
  Failure failure = co_await open();
  if (failure) co_return failure;
  co_return co_await synchronise();
}

asio::awaitable<Session::Failure> Session::open() {
  connection_.set_deadline(end_);
  core::Status connected = core::success();
  if (dial_) {
    connected = co_await dial_(connection_);
  } else {
    connected = co_await connection_.connect(options_.socket);
  }
  if (connected) co_return std::nullopt;
  // A connect that did not end in time waits for a place in the queue.
  const bool waiting = connected.error().code == ErrorCode::timeout;
  co_return failed(waiting ? Verdict::busy : verdict_of(connected.error()), connected.error().text);
}

asio::awaitable<Session::Failure> Session::synchronise() {
  const auto id = static_cast<std::int64_t>(options_.nonce & kSyncIdMask);
  const core::nanoseconds slice = std::min<core::nanoseconds>(kSyncAgain, options_.answer_deadline);
  Connection::Deadline patience = at_most(options_.answer_deadline);
  for (;;) {
    connection_.set_deadline(at_most(slice));
    const core::Result<bool> answered = co_await sync_once(id);
    if (answered && *answered) co_return std::nullopt;
    if (!answered) co_return failed(verdict_of(answered.error()), name_of(options_) + ": " + answered.error().text);
    const bool busy = !options_.socket.empty() && in_backlog_(options_.socket);
    if (busy) patience = at_most(options_.answer_deadline);
    if (busy && connection_.passed(end_)) co_return failed(Verdict::busy, name_of(options_) + ": another client holds the port");
    if (connection_.passed(patience))
      co_return failed(Verdict::no_agent, name_of(options_) + ": nothing in the guest answers (agent not running, or no such port there)");
  }
}

// false: no answer within the connection's deadline. What else lies in the port is dropped.
asio::awaitable<core::Result<bool>> Session::sync_once(std::int64_t id) {
  const std::string request = "\xff" + wire::request_text(wire::GuestSyncDelimited{id}) + "\n";
  const core::Status sent = co_await connection_.send(request);
  if (!sent && sent.error().code != ErrorCode::timeout) co_return sent.error();
  for (;;) {
    core::Result<Incoming> incoming = co_await connection_.receive();
    if (!incoming && incoming.error().code == ErrorCode::timeout) co_return false;
    if (!incoming) co_return incoming.error();
    const core::Result<wire::Reply> reply = wire::parse_reply(incoming->line.text);
    if (!reply || reply->error) continue;
    const core::Result<std::int64_t> echoed = wire::parse_integer(reply->value_json);
    if (echoed && *echoed == id) co_return true;
  }
}

asio::awaitable<core::Status> Session::exchange() {
  connection_.set_deadline(at_most(kExchangeDeadline));
  core::nanoseconds host_clock{};
  for (std::size_t round = 0; round < kExchangeRounds && !enough(rounds_); ++round) {
    const core::Result<wire::Quadruple> stamps = co_await exchange_round();
    if (!stamps) co_return stamps.error();
    const core::nanoseconds now = core::realtime_minus_monotonic(heard_);
    if (round > 0 && core::magnitude({now - host_clock}) > kHostStep) rounds_.clear();
    host_clock = now;
    const core::nanoseconds within = now - core::realtime_minus_monotonic(sent_);
    if (plausible(*stamps) && core::magnitude({within}) <= kHostStep) rounds_.push_back(*stamps);
  }
  co_return core::success();
}

asio::awaitable<core::Result<wire::Quadruple>> Session::exchange_round() {
  sent_ = connection_.clock().snapshot();
  const core::Result<wire::Reply> answer = co_await ask(wire::ClockExchange{ns(sent_.realtime)});
  if (!answer) co_return answer.error();
  if (answer->error) co_return core::Error{ErrorCode::unsupported, answer->error->text};
  const core::Result<wire::ExchangeReply> stamps = wire::parse_exchange_reply(answer->value_json);
  if (!stamps) co_return stamps.error();
  co_return wire::Quadruple{ns(sent_.realtime), stamps->t2, stamps->t3, ns(heard_.realtime)};
}

asio::awaitable<core::Result<wire::Reply>> Session::ask(wire::Request request) {
  const std::string tag = "\"" + std::to_string(options_.nonce) + "-" + std::to_string(++asked_) + "\"";
  const core::Status sent = co_await connection_.send(wire::request_text(request, tag) + "\n");
  if (!sent) co_return sent.error();
  for (int stray = 0; stray <= kMaxStray; ++stray) {
    core::Result<Incoming> incoming = co_await connection_.receive();
    if (!incoming) co_return incoming.error();
    core::Result<wire::Reply> reply = wire::parse_reply(incoming->line.text);
    if (!reply || reply->id_json != tag) continue;
    heard_ = incoming->at;
    co_return std::move(reply);
  }
  co_return core::Error{ErrorCode::invalid, "the guest sends what nobody asked for"};
}

}  // namespace clockmend::host
