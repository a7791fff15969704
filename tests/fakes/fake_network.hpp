// UDP in virtual time, with scripted NTP servers behind it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/ports/datagram.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_ntp_server.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::fakes {

class FakeNetwork final : public core::DatagramFactory {
 public:
  struct Sent {
    core::Endpoint peer;
    Bytes bytes;
    core::ClockSnapshot at;
    std::uint64_t socket = 0;  // number of the socket, counted from 1
  };

  FakeNetwork(FakeClock& clock, FakeScheduler& scheduler) : clock_(clock), scheduler_(scheduler) {}

  /// The server at this numeric address; unknown addresses are dead.
  NtpServerScript& server(const std::string& address) { return servers_[address]; }
  void remove(const std::string& address) { servers_.erase(address); }

  core::Result<std::unique_ptr<core::DatagramSocket>> open(const core::Endpoint& peer,
                                                           std::function<void(const core::Datagram&)> on_datagram,
                                                           std::function<void(const core::Error&)> on_error) override {
    if (open_error) return *open_error;
    auto wire = std::make_shared<Wire>(Wire{peer, ++opened, std::move(on_datagram), std::move(on_error)});
    std::erase_if(wires_, [](const auto& weak) { return weak.expired(); });
    wires_.push_back(wire);
    return std::unique_ptr<core::DatagramSocket>(std::make_unique<FakeSocket>(*this, std::move(wire)));
  }

  /// Hands `bytes` to every open socket connected to `address`, now, as if the peer (or a spoofer) had sent them.
  void inject(const std::string& address, const Bytes& bytes) {
    const auto now_open = wires_;  // a callback may open more
    for (const auto& weak : now_open)
      if (const auto wire = weak.lock(); wire && wire->peer.text == address) deliver(wire, bytes, false);
  }

  /// An ICMP error, real or forged, for every open socket connected to `address`, now.
  void inject_error(const std::string& address, const core::Error& error) {
    const auto now_open = wires_;
    for (const auto& weak : now_open) {
      const auto wire = weak.lock();
      if (!wire || wire->peer.text != address) continue;
      const auto call = wire->on_error;
      call(error);
    }
  }

  [[nodiscard]] std::size_t open_sockets() const {
    std::size_t n = 0;
    for (const auto& weak : wires_) n += weak.expired() ? 0 : 1;
    return n;
  }
  [[nodiscard]] std::vector<Sent> sent_to(const std::string& address) const {
    std::vector<Sent> out;
    for (const auto& s : sent)
      if (s.peer.text == address) out.push_back(s);
    return out;
  }

  std::vector<Sent> sent;                 // every request, in order
  std::uint64_t opened = 0;               // sockets ever opened
  std::optional<core::Error> open_error;  // no socket can be opened
  std::optional<core::Error> send_error;  // no route: send fails at once

 private:
  struct Wire {
    core::Endpoint peer;
    std::uint64_t number;
    std::function<void(const core::Datagram&)> on_datagram;
    std::function<void(const core::Error&)> on_error;
  };

  class FakeSocket final : public core::DatagramSocket {
   public:
    FakeSocket(FakeNetwork& network, std::shared_ptr<Wire> wire) : network_(network), wire_(std::move(wire)) {}
    core::Result<core::ClockSnapshot> send(std::span<const std::byte> bytes) override {
      return network_.transmit(wire_, Bytes(bytes.begin(), bytes.end()));
    }

   private:
    FakeNetwork& network_;
    std::shared_ptr<Wire> wire_;
  };

  core::Result<core::ClockSnapshot> transmit(const std::shared_ptr<Wire>& wire, Bytes bytes) {
    if (send_error) return *send_error;
    const auto at = clock_.snapshot();
    sent.push_back({wire->peer, bytes, at, wire->number});
    const auto found = servers_.find(wire->peer.text);
    if (found == servers_.end()) return at;
    if (const auto vary = found->second.before) vary(found->second);
    if (found->second.dead) return at;
    auto& script = found->second;
    if (script.icmp) {
      later(script.out, wire, [error = *script.icmp](const std::shared_ptr<Wire>& w) {
        auto call = w->on_error;
        call(error);
      });
      return at;
    }
    if (script.bogus) post(wire, script.bogus_after, script.bogus(bytes), false);
    if (script.drop_first > 0) {
      --script.drop_first;
      return at;
    }
    const NtpServerScript as_asked = script;  // tamper() may change the script for the next request
    const auto reply = ntp_reply(script, bytes, clock_.truth() + script.out);
    for (unsigned i = 0; i < as_asked.copies; ++i)
      post(wire, as_asked.out + as_asked.processing + as_asked.back + i * as_asked.copy_gap, reply, as_asked.truncated);
    return at;
  }

  void post(const std::shared_ptr<Wire>& wire, core::nanoseconds delay, const Bytes& bytes, bool truncated) {
    later(delay, wire, [this, bytes, truncated](const std::shared_ptr<Wire>& w) { deliver(w, bytes, truncated); });
  }
  void later(core::nanoseconds delay, const std::shared_ptr<Wire>& wire, std::function<void(const std::shared_ptr<Wire>&)> call) {
    scheduler_.post_after(delay, [weak = std::weak_ptr<Wire>(wire), call = std::move(call)] {
      if (const auto alive = weak.lock()) call(alive);
    });
  }
  void deliver(const std::shared_ptr<Wire>& wire, const Bytes& bytes, bool truncated) {
    const auto call = wire->on_datagram;  // the callback may destroy its own socket
    call(core::Datagram{bytes, truncated, clock_.snapshot()});
  }

  FakeClock& clock_;
  FakeScheduler& scheduler_;
  std::map<std::string, NtpServerScript> servers_;
  std::vector<std::weak_ptr<Wire>> wires_;
};

}  // namespace clockmend::fakes
