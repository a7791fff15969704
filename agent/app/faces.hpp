// The agent's two doors: the virtio-serial port for the host, the control socket for the guest's administrator.
#pragma once

#include <asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

#include "agent/channel/channel.hpp"
#include "agent/core/ports/watches.hpp"
#include "agent/core/settings.hpp"
#include "agent/core/status.hpp"
#include "agent/os/unix_listener.hpp"
#include "agent/os/virtio_port.hpp"
#include "probes/host_notice.hpp"

namespace clockmend::app {

struct FacesContext {
  asio::io_context& io;
  const core::Paths& paths;
  core::ChannelSettings settings;
  channel::Agent& agent;
  probes::HostNoticeProbe& host;
  std::function<void(const std::string&)> on_note;
};

class Faces {
 public:
  explicit Faces(FacesContext context);

  void start();
  void device_event(const core::DeviceEvent& event);
  /// The verbs and the age limit change at once; another port name needs a restart, and says so.
  void configure(const core::ChannelSettings& settings);
  void add_counters(core::Counters& counters) const;
  [[nodiscard]] std::string channel_state() const;

 private:
  void open_port();
  void open_socket();
  void port_state(core::StreamState state, const std::string& why);

  FacesContext context_;
  channel::Channel channel_;
  os::UnixListener listener_;
  os::VirtioPort* port_ = nullptr;  // owned by the channel
};

}  // namespace clockmend::app
