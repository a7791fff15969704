// The protocol over its two transports: the virtio-serial port and the local control socket.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>

#include "agent/channel/agent.hpp"
#include "agent/channel/session.hpp"
#include "agent/core/ports/byte_stream.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::channel {

class Channel {
 public:
  /// `version` is what guest-info tells. `agent` outlives the channel.
  Channel(Agent& agent, const core::ChannelSettings& settings, std::string version);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Serves the host on this port from now on; replaces an earlier port.
  void open_port(std::unique_ptr<core::ByteStream> port);
  void close_port();
  /// `administrator`: uid 0 or in the clockmend group (the caller looks that up).
  void add_client(std::unique_ptr<core::ByteStream> client, bool administrator);
  /// New settings after a reload; port_name is the caller's business (open_port).
  void reconfigure(const core::ChannelSettings& settings) { shared_.settings = settings; }

  [[nodiscard]] const Counters& counters() const { return shared_.counters; }
  [[nodiscard]] std::size_t clients() const { return clients_.size(); }
  /// For AgentStatus::channel: "connected", "disconnected", "off", with the reason where there is one.
  [[nodiscard]] std::string port_state() const;

 private:
  Shared shared_;
  std::unique_ptr<Session> port_;
  std::list<std::unique_ptr<Session>> clients_;
};

}  // namespace clockmend::channel
