#include "agent/os/port_poller.hpp"

#include <sys/epoll.h>

#include <cerrno>

#include "agent/os/errors.hpp"

namespace clockmend::os {

core::Result<PortPoller> PortPoller::open(int port_fd) {
  UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll) return errno_error(errno, "epoll_create1");
  epoll_event event{};
  event.events = EPOLLET | EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLRDHUP;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, port_fd, &event) != 0) return errno_error(errno, "epoll_ctl");
  return PortPoller{std::move(epoll)};
}

std::uint32_t PortPoller::take() {
  epoll_event event{};
  return ::epoll_wait(epoll_.get(), &event, 1, 0) == 1 ? event.events : 0;
}

}  // namespace clockmend::os
