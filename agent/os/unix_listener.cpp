#include "agent/os/unix_listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/os/descriptor.hpp"
#include "agent/os/stream_socket.hpp"

namespace clockmend::os {
namespace {

constexpr int kBacklog = 8;
constexpr int kAcceptsPerWakeup = 16;
constexpr std::size_t kMostGroups = 256;  // of a peer; with more it counts as having none but its primary one
// Out of descriptors the listening socket stays readable; waiting keeps that from becoming a busy loop.
constexpr std::chrono::seconds kPause{1};

core::Status remove_stale(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno == ENOENT ? core::success() : errno_error(errno, path);
  if (!S_ISSOCK(info.st_mode)) return core::Error{core::ErrorCode::invalid, path + ": in the way, and not a socket"};
  const auto alive = connect_local(path);
  // EAGAIN: its backlog is full, so somebody listens. Only a refusal proves that nobody does.
  if (alive || alive.error().code != core::ErrorCode::unavailable) {
    return core::Error{core::ErrorCode::busy, path + ": another process listens there"};
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(errno, path);
  return core::success();
}

core::Result<UniqueFd> bind_and_listen(const ListenerPlace& place) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (place.path.size() >= sizeof address.sun_path) return errno_error(ENAMETOOLONG, place.path);
  std::memcpy(address.sun_path, place.path.c_str(), place.path.size() + 1);
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) return errno_error(errno, place.path);
  // The mask applies while the file is made, so it never exists with wider permissions (unix(7)).
  const mode_t old = ::umask(~place.mode & 0777u);
  const int rc = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int number = errno;
  ::umask(old);
  if (rc != 0) return errno_error(number, place.path);
  if (::listen(fd.get(), kBacklog) != 0) return errno_error(errno, place.path);
  return fd;
}

std::vector<std::uint32_t> supplementary_groups(int fd) {
  std::vector<std::uint32_t> groups(kMostGroups);
  auto size = static_cast<socklen_t>(groups.size() * sizeof groups[0]);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return {};
  groups.resize(size / sizeof groups[0]);
  return groups;
}

core::PeerCredentials credentials(int fd) {
  constexpr auto kNobody = static_cast<std::uint32_t>(-1);
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {kNobody, kNobody, 0, {}};
  return {peer.uid, peer.gid, peer.pid, supplementary_groups(fd)};
}

}  // namespace

struct UnixListener::State : std::enable_shared_from_this<State> {
  State(asio::io_context& i, ListenerPlace p) : io(i), place(std::move(p)), descriptor(i), pause(i) {}

  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
      if (!ec && self->on_client) self->accept_some();
    });
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsPerWakeup && on_client; ++i) {
      UniqueFd fd{::accept4(descriptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
      if (fd) {
        admit(std::move(fd));
        continue;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) return wait_later();
      if (errno == EINTR || errno == ECONNABORTED) continue;
      break;
    }
    if (on_client) wait();
  }

  void admit(UniqueFd fd) {
    if (clients >= place.max_clients) return;
    const core::PeerCredentials peer = credentials(fd.get());
    ++clients;
    auto client = StreamSocket::adopt_fd(io, std::move(fd), [self = shared_from_this()] { --self->clients; });
    if (!client) return;  // counted down already
    const auto call = on_client;
    call(std::move(client).value(), peer);
  }

  void wait_later() {
    pause.expires_after(kPause);
    pause.async_wait([self = shared_from_this()](const asio::error_code& ec) {
      if (!ec && self->on_client) self->wait();
    });
  }

  void remove_own_file() {
    struct stat info {};
    if (inode != 0 && ::lstat(place.path.c_str(), &info) == 0 && info.st_ino == inode) ::unlink(place.path.c_str());
  }

  asio::io_context& io;
  ListenerPlace place;
  asio::posix::stream_descriptor descriptor;
  asio::steady_timer pause;
  core::StreamListener::OnClient on_client;
  unsigned clients = 0;
  ino_t inode = 0;
};

UnixListener::UnixListener(asio::io_context& io, ListenerPlace place) : state_(std::make_shared<State>(io, std::move(place))) {}

UnixListener::~UnixListener() {
  state_->on_client = nullptr;
  state_->remove_own_file();
  state_->pause.cancel();
  asio::error_code ignored;
  state_->descriptor.close(ignored);
}

core::Status UnixListener::start(OnClient on_client) {
  if (auto clear = remove_stale(state_->place.path); !clear) return clear;
  auto fd = bind_and_listen(state_->place);
  if (!fd) return fd.error();
  struct stat info {};
  if (::lstat(state_->place.path.c_str(), &info) == 0) state_->inode = info.st_ino;
  if (auto adopted = adopt(state_->descriptor, std::move(fd).value()); !adopted) return adopted;
  state_->on_client = std::move(on_client);
  state_->wait();
  return core::success();
}

}  // namespace clockmend::os
