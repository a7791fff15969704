#include "agent/app/faces.hpp"

#include <utility>

#include "agent/app/version.hpp"
#include "agent/os/group.hpp"

namespace clockmend::app {
namespace {

// Members may do what uid 0 may: resync, and force it.
constexpr const char* kAdministrators = "clockmend";
// Everybody may connect and look; what a peer may do is decided by its credentials, not by the file's mode.
constexpr unsigned kSocketMode = 0666;

core::ProbeState probe_state(core::StreamState s) {
  const bool open = s == core::StreamState::open || s == core::StreamState::host_connected || s == core::StreamState::host_disconnected;
  return open ? core::ProbeState::running : core::ProbeState::degraded;
}

/// Tells a second listener of the stream's state; everything else goes straight through.
class WatchedStream final : public core::ByteStream {
 public:
  WatchedStream(std::unique_ptr<core::ByteStream> inner, OnState watcher) : inner_(std::move(inner)), watcher_(std::move(watcher)) {}
  void start(OnBytes on_bytes, OnState on_state) override {
    inner_->start(std::move(on_bytes), [this, on_state = std::move(on_state)](core::StreamState s, const std::string& why) {
      watcher_(s, why);
      on_state(s, why);
    });
  }
  core::Status send(std::string_view bytes) override { return inner_->send(bytes); }
  [[nodiscard]] std::size_t pending() const override { return inner_->pending(); }
  void close() override { inner_->close(); }
  [[nodiscard]] core::StreamState state() const override { return inner_->state(); }

 private:
  std::unique_ptr<core::ByteStream> inner_;
  OnState watcher_;
};

}  // namespace

Faces::Faces(FacesContext context)
    : context_(std::move(context)),
      channel_(context_.agent, context_.settings, kVersion),
      listener_(context_.io, {context_.paths.root + context_.paths.control_socket(), kSocketMode}) {}

void Faces::start() {
  if (context_.settings.enabled)
    open_port();
  else
    context_.host.set_channel_state(core::ProbeState::off, "channel.enabled is off");
  open_socket();
}

void Faces::open_port() {
  auto port = std::make_unique<os::VirtioPort>(context_.io, context_.settings.port_name);
  port_ = port.get();
  port_state(core::StreamState::gone, "no virtio-serial port named " + context_.settings.port_name);
  channel_.open_port(
      std::make_unique<WatchedStream>(std::move(port), [this](core::StreamState s, const std::string& why) { port_state(s, why); }));
}

void Faces::port_state(core::StreamState state, const std::string& why) {
  const std::string text = std::string(core::to_string(state)) + (why.empty() ? "" : ": " + why);
  context_.host.set_channel_state(probe_state(state), text);
  if (state == core::StreamState::busy || state == core::StreamState::error) context_.on_note("channel " + text);
}

void Faces::open_socket() {
  const auto listening = listener_.start([this](std::unique_ptr<core::ByteStream> stream, core::PeerCredentials peer) {
    channel_.add_client(std::move(stream), peer.uid == 0 || os::belongs_to(peer, kAdministrators));
  });
  if (!listening) context_.on_note("control socket: " + listening.error().text);
}

void Faces::device_event(const core::DeviceEvent& event) {
  if (port_ != nullptr) port_->device_event(event);
}

void Faces::configure(const core::ChannelSettings& settings) {
  const bool needs_restart = settings.port_name != context_.settings.port_name || settings.enabled != context_.settings.enabled;
  if (needs_restart) context_.on_note("channel.port_name and channel.enabled take effect at the next start");
  channel_.reconfigure(settings);
}

void Faces::add_counters(core::Counters& counters) const {
  const channel::Counters& c = channel_.counters();
  counters.notices_dropped += c.notices_dropped;
  counters.notices_coalesced += c.notices_coalesced;
  counters.bad_lines += c.bad_lines;
}

std::string Faces::channel_state() const { return context_.settings.enabled ? channel_.port_state() : "off: channel.enabled is off"; }

}  // namespace clockmend::app
