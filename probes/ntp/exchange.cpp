#include "probes/ntp/exchange.hpp"

#include <utility>

namespace clockmend::probes::ntp {

namespace {

constexpr unsigned kAttempts = 2;
// After an ICMP error or a missing route: right after a resume the network may need a moment. Short, because a host that
// says "unreachable" must not hold up a round like one that says nothing.
constexpr core::milliseconds kAfterError{200};

Timestamp nonce_from(core::RandomSource& random) {
  // Zero would be indistinguishable from "unknown", and 2^-64 is not never.
  Timestamp nonce{random.next64()};
  while (nonce.zero()) nonce.value = random.next64();
  return nonce;
}

}  // namespace

Exchange::Exchange(ExchangePorts ports, ExchangePlan plan, std::function<void(const ExchangeResult&)> done)
    : ports_(ports), plan_(std::move(plan)), done_(std::move(done)) {
  attempt();
}

void Exchange::attempt() {
  ++attempts_;
  failing_ = false;
  socket_.reset();
  auto opened = ports_.network.open(
      plan_.peer, [this](const core::Datagram& d) { on_datagram(d); },
      [this](const core::Error& e) { attempt_failed(e.text, kAfterError); });
  if (!opened) return attempt_failed(opened.error().text, kAfterError);
  socket_ = std::move(opened).value();

  expected_ = {nonce_from(ports_.random), {}, plan_.floor, plan_.ceiling};
  const auto sent = socket_->send(encode_request(expected_.nonce));
  if (!sent) return attempt_failed(sent.error().text, kAfterError);
  expected_.sent = *sent;
  timer_ = ports_.scheduler.after(
      plan_.timeout, [this] { attempt_failed(trouble_.empty() ? "no reply" : "no valid reply: " + trouble_, core::nanoseconds::zero()); });
}

/// Always continues from a timer: the constructor must not call back, and a flood of ICMP errors must cost one retry only.
/// Until then the socket stays open: an ICMP error can be forged, the real reply may still come.
void Exchange::attempt_failed(const std::string& why, core::nanoseconds pause) {
  if (failing_) return;
  failing_ = true;
  if (attempts_ < kAttempts && plan_.may_send_again()) {
    timer_ = ports_.scheduler.after(pause, [this] { attempt(); });
    return;
  }
  timer_ = ports_.scheduler.after(core::nanoseconds::zero(), [this, why] { finish(ExchangeFailure{!trouble_.empty(), why, {}}); });
}

void Exchange::on_datagram(const core::Datagram& datagram) {
  std::visit([this](const auto& verdict) { on_verdict(verdict); }, judge(datagram, expected_));
}

void Exchange::on_verdict(const Sample& sample) {
  if (stepped_ && sample.at.raw < *stepped_) return ask_again();
  finish(sample);
}

void Exchange::on_verdict(const Rejection& rejection) {
  trouble_ = rejection.text;
  // Not our answer: whoever sent it, the real one may still come.
  if (!rejection.from_server()) return;
  // The clocks jumped while we waited (a resume with a counter that ran on): nothing is wrong with the server.
  if (rejection.why == Refusal::bad_round_trip) return ask_again();
  finish(ExchangeFailure{true, rejection.text, rejection.code});
}

void Exchange::ask_again() {
  if (!plan_.may_send_again()) return finish(ExchangeFailure{true, "asked too often", {}});
  stepped_.reset();
  expected_.nonce = {};  // what comes for the old request is a replay from here on
  timer_ = ports_.scheduler.after(core::nanoseconds::zero(), [this] {
    --attempts_;
    attempt();
  });
}

void Exchange::finish(ExchangeResult result) {
  socket_.reset();
  timer_.reset();
  const auto done = std::move(done_);
  done(result);  // `this` may be gone from here on
}

}  // namespace clockmend::probes::ntp
