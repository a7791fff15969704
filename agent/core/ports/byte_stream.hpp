#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/result.hpp"

namespace clockmend::core {

/// What a byte stream's other side is doing. A virtio port comes and goes for ever; a socket client ends with `closed` or
/// `error` and never comes back.
enum class StreamState {
  gone,               // virtio port: no such device now
  busy,               // virtio port: held by another process; tried again from time to time
  open,               // virtio port: the device was opened just now; whether the host listens follows
  host_connected,     // virtio port: the host side is connected. Socket: connected
  host_disconnected,  // virtio port: open, nobody on the host side; what is sent now is lost
  closed,             // socket: the peer closed in order; final
  error,              // socket: broken, final. Virtio port: cannot be opened, see the text; tried again with the next event
};

[[nodiscard]] constexpr const char* to_string(StreamState s) {
  switch (s) {
    case StreamState::gone:
      return "gone";
    case StreamState::busy:
      return "busy";
    case StreamState::open:
      return "open";
    case StreamState::host_connected:
      return "host-connected";
    case StreamState::host_disconnected:
      return "host-disconnected";
    case StreamState::closed:
      return "closed";
    case StreamState::error:
      return "error";
  }
  return "?";
}

/// backlog: was readable at the first read after the port was opened, so nobody knows how long it has waited (a tripwire
/// only, never a fresh stamp). live: arrived while we were listening.
enum class Arrival { live, backlog };

/// Bytes both ways, without framing. Callbacks come from the event loop, never from inside start() or send(); a callback may
/// close() or destroy its own stream, and none comes after that.
class ByteStream {
 public:
  /// At most 4 KiB per call, and a bounded number of calls before the loop serves others.
  using OnBytes = std::function<void(std::string_view bytes, Arrival arrival)>;
  /// Each change of state(), with the reason for a human (device, errno text); may be empty.
  using OnState = std::function<void(StreamState state, const std::string& why)>;

  static constexpr std::size_t kOutgoingLimit = std::size_t{128} * 1024;  // two replies of the largest size

  virtual ~ByteStream() = default;
  /// Call once.
  virtual void start(OnBytes on_bytes, OnState on_state) = 0;
  /// Queues all of `bytes` or nothing: busy if more than kOutgoingLimit would wait, unavailable if nobody is connected.
  virtual Status send(std::string_view bytes) = 0;
  /// Bytes accepted by send() that the kernel has not taken yet.
  [[nodiscard]] virtual std::size_t pending() const = 0;
  /// Ends the stream after what is queued was written (sockets) or at once (virtio port). No state is reported for it.
  virtual void close() = 0;
  [[nodiscard]] virtual StreamState state() const = 0;
};

/// Who is at the other end of a local socket (SO_PEERCRED, unix(7)): as of its connect().
struct PeerCredentials {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  std::vector<std::uint32_t> groups;  // supplementary ones (SO_PEERGROUPS); empty where the kernel does not tell (before 4.13)
};

/// Accepts local clients, a bounded number at a time.
class StreamListener {
 public:
  using OnClient = std::function<void(std::unique_ptr<ByteStream> client, PeerCredentials peer)>;
  virtual ~StreamListener() = default;
  /// Binds and listens. not_permitted, busy (a live listener holds the path) or io with the reason.
  virtual Status start(OnClient on_client) = 0;
};

}  // namespace clockmend::core
