#include "agent/channel/channel.hpp"

#include <utility>

namespace clockmend::channel {

Channel::Channel(Agent& agent, const core::ChannelSettings& settings, std::string version) : shared_{agent, settings, std::move(version)} {}

Channel::~Channel() = default;

void Channel::open_port(std::unique_ptr<core::ByteStream> port) {
  port_ = std::make_unique<Session>(shared_, std::move(port), Peer::host, [] {});
  port_->start();
}

void Channel::close_port() { port_.reset(); }

void Channel::add_client(std::unique_ptr<core::ByteStream> client, bool administrator) {
  const auto place = clients_.insert(clients_.end(), nullptr);
  *place = std::make_unique<Session>(shared_, std::move(client), administrator ? Peer::administrator : Peer::anybody,
                                     [this, place] { clients_.erase(place); });
  (*place)->start();
}

std::string Channel::port_state() const {
  if (!port_) return "off";
  const core::StreamState state = port_->state();
  const bool connected = state == core::StreamState::host_connected;
  std::string text = connected ? "connected" : std::string("disconnected: ") + to_string(state);
  if (!connected && !port_->why().empty()) text += " (" + port_->why() + ")";
  return text;
}

}  // namespace clockmend::channel
