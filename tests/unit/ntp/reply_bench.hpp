// One request and the reply to it, as values: for tests of the pure parts.
#pragma once

#include "probes/ntp/validity.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_ntp_server.hpp"

namespace clockmend::probes::ntp {

struct ReplyBench {
  fakes::FakeClock clock;
  fakes::NtpServerScript server;
  Expectation expected{
      {0x1122334455667788U}, {}, core::RealtimePoint{core::seconds{1704067200}}, core::RealtimePoint{core::seconds{4102444800}}};
  fakes::Bytes reply;
  bool truncated = false;
  /// Happens while the request is on its way to the server / while the reply is on its way back.
  std::function<void()> on_the_way_out;
  std::function<void()> on_the_way_back;

  Verdict run() {
    expected.sent = clock.snapshot();
    fakes::Bytes request(48, std::byte{0});
    fakes::put_be(request, 40, expected.nonce.value, 8);
    clock.advance(server.out);
    if (on_the_way_out) on_the_way_out();
    reply = ntp_reply(server, request, clock.truth());
    clock.advance(server.processing + server.back);
    if (on_the_way_back) on_the_way_back();
    return judge({reply, truncated, clock.snapshot()}, expected);
  }
  /// The refusal, or nothing if the reply was accepted.
  std::optional<Refusal> refused() {
    const auto verdict = run();
    const auto* rejection = std::get_if<Rejection>(&verdict);
    return rejection == nullptr ? std::nullopt : std::optional(rejection->why);
  }
};

}  // namespace clockmend::probes::ntp
