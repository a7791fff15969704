#include "agent/channel/session.hpp"

#include <utility>

#include "agent/channel/wait.hpp"

namespace clockmend::channel {

Session::Session(Shared& shared, std::unique_ptr<core::ByteStream> stream, Peer peer, std::function<void()> on_end)
    : shared_(shared), stream_(std::move(stream)), peer_(peer), on_end_(std::move(on_end)) {}

Session::~Session() = default;

void Session::start() {
  last_heard_ = shared_.agent.scheduler().now();
  if (peer_ != Peer::host) watch_idle();
  stream_->start([this](std::string_view bytes, core::Arrival arrival) { on_bytes(bytes, arrival); },
                 [this](core::StreamState state, const std::string& why) { on_state(state, why); });
}

void Session::on_bytes(std::string_view bytes, core::Arrival arrival) {
  if (ended_) return;
  read_at_ = shared_.agent.snapshot();
  last_heard_ = read_at_.monotonic;
  reader_.feed(bytes, arrival, *this);
}

/// The port's stream outlives its hosts: each of them finds a fresh session, and nobody gets an answer meant for another.
void Session::on_state(core::StreamState state, const std::string& why) {
  why_ = why;
  if (state != core::StreamState::host_connected) forget();
  const bool over = state == core::StreamState::closed || state == core::StreamState::error;
  if (over && peer_ != Peer::host) end();
}

void Session::forget() {
  reader_.reset();
  ledger_.clear();
  waits_.clear();
}

/// Through the loop: the caller may be one of our own callbacks.
void Session::end() {
  if (ended_) return;
  ended_ = true;
  forget();
  stream_->close();
  end_timer_ = shared_.agent.scheduler().after(core::nanoseconds::zero(), [this] { on_end_(); });
}

void Session::watch_idle() {
  const core::MonotonicPoint due = last_heard_ + kIdleLimit;
  idle_timer_ = shared_.agent.scheduler().at(due, [this] {
    const core::MonotonicPoint now = shared_.agent.scheduler().now();
    if (!waits_.empty()) last_heard_ = now;
    if (now - last_heard_ >= kIdleLimit) {
      end();
    } else {
      watch_idle();
    }
  });
}

void Session::on_oversize() { bad_line(wire::ErrorClass::generic, "the line is longer than 4096 bytes and was skipped", {}); }

void Session::on_line(std::string_view line, core::Arrival arrival) {
  if (ended_) return;
  if (!lines_.take(read_at_.monotonic)) {
    ++shared_.counters.rate_limited;
    if (complaints_.take(read_at_.monotonic))
      reply(wire::error_reply(wire::ErrorClass::rate_limited, "too many requests, some were skipped", {}));
    return;
  }
  arrival_ = arrival;
  const wire::ParsedRequest parsed = wire::parse_request(line);
  if (const auto* error = std::get_if<wire::RequestError>(&parsed.request)) {
    bad_line(error->error_class, error->text, parsed.id_json);
    return;
  }
  const auto& request = *std::get_if<wire::Request>(&parsed.request);
  if (!permitted(request, parsed.id_json) || !within_rate(request, parsed.id_json)) return;
  std::visit([this, &parsed](const auto& r) { handle(r, parsed.id_json); }, request);
}

bool Session::within_rate(const wire::Request& request, std::string_view id_json) {
  const bool query = std::holds_alternative<wire::ClockStatus>(request) || std::holds_alternative<wire::ClockHistory>(request);
  if (!query || queries_.take(read_at_.monotonic)) return true;
  ++shared_.counters.rate_limited;
  refuse(request, wire::ErrorClass::rate_limited, "more than 20 queries per second", id_json);
  return false;
}

/// A flood of garbage must not become a flood of answers.
void Session::bad_line(wire::ErrorClass c, std::string_view why, std::string_view id_json) {
  ++shared_.counters.bad_lines;
  if (complaints_.take(read_at_.monotonic)) reply(wire::error_reply(c, why, id_json));
}

/// The classes of clock-* verbs are unknown to clients of the QEMU guest agent.
void Session::refuse(const wire::Request& request, wire::ErrorClass c, std::string_view why, std::string_view id_json) {
  const std::string_view verb = wire::verb_of(request);
  if (verb.starts_with("guest-") && c != wire::ErrorClass::command_not_found) c = wire::ErrorClass::generic;
  reply(wire::error_reply(c, std::string(verb) + ": " + std::string(why), id_json));
}

/// A host that is gone misses its reply; a local client that does not read is cut off before it costs memory.
void Session::reply(std::string line) {
  if (ended_) return;
  line += '\n';
  const core::Status sent = stream_->send(line);
  if (!sent && peer_ != Peer::host) end();
}

}  // namespace clockmend::channel
