#include "tests/integration/host/crowd.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace clockmend::tests {

namespace {

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) throw std::runtime_error("epoll_ctl");
}

int listen_on(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 1) != 0)
    throw std::runtime_error("cannot listen on " + path);
  return fd;
}

}  // namespace

Crowd::Crowd(std::size_t count, FakeGuest::Answer answer) : count_(count), answer_(std::move(answer)) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  watch(epoll_, stop_);
  for (const std::string& path : sockets()) {
    listeners_.push_back(listen_on(path));
    watch(epoll_, listeners_.back());
  }
  thread_ = std::thread([this] { serve(); });
}

Crowd::~Crowd() {
  ::eventfd_write(stop_, 1);
  thread_.join();
  for (const int fd : listeners_) ::close(fd);
  for (const auto& [fd, text] : pending_) ::close(fd);
  ::close(stop_);
  ::close(epoll_);
}

std::vector<std::string> Crowd::sockets() const {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count_; ++i) paths.push_back(folder_.path() + "/vm" + std::to_string(i) + ".sock");
  return paths;
}

void Crowd::serve() {
  epoll_event events[64];
  for (;;) {
    const int ready = ::epoll_wait(epoll_, events, 64, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == stop_) return;
      if (pending_.contains(fd)) {
        hear(fd);
      } else {
        take(fd);
      }
    }
  }
}

void Crowd::take(int listener) {
  const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  pending_[client];
  most_ = std::max(most_.load(), pending_.size());
  watch(epoll_, client);
}

void Crowd::hear(int client) {
  char buffer[8192];
  const ssize_t got = ::read(client, buffer, sizeof buffer);
  if (got <= 0) {
    pending_.erase(client);
    ::close(client);
    return;
  }
  std::string& pending = pending_[client];
  pending.append(buffer, static_cast<std::size_t>(got));
  for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
    const std::string answer = answer_(pending.substr(0, end));
    pending.erase(0, end + 1);
    if (!answer.empty()) static_cast<void>(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
  }
}

}  // namespace clockmend::tests
