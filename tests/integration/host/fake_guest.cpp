#include "tests/integration/host/fake_guest.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <utility>

namespace clockmend::tests {

FakeGuest::FakeGuest(Answer answer) : answer_(std::move(answer)) {
  char folder[] = "/tmp/clockmend-host-XXXXXX";
  if (::mkdtemp(folder) == nullptr || ::pipe(stop_) != 0) throw std::runtime_error("cannot make the fake guest's folder");
  folder_ = folder;
  path_ = folder_ + "/port.sock";
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  // QEMU listens with a queue of 1.
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 1) != 0)
    throw std::runtime_error("cannot listen on " + path_);
}

FakeGuest::~FakeGuest() {
  static_cast<void>(::write(stop_[1], "x", 1) == 1);
  if (thread_.joinable()) thread_.join();
  ::close(listener_);
  ::close(stop_[0]);
  ::close(stop_[1]);
  ::unlink(path_.c_str());
  ::rmdir(folder_.c_str());
}

void FakeGuest::start() {
  thread_ = std::thread([this] { serve(); });
}

std::vector<std::string> FakeGuest::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool FakeGuest::readable(int fd) const {
  pollfd wait[2] = {{fd, POLLIN, 0}, {stop_[0], POLLIN, 0}};
  return ::poll(wait, 2, -1) > 0 && wait[1].revents == 0;
}

void FakeGuest::serve() {
  while (readable(listener_)) {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    serve_client(client);
    ::close(client);
  }
}

void FakeGuest::serve_client(int client) {
  std::string pending;
  const auto say = [client](const std::string& bytes) {
    return bytes.empty() || ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  };
  if (!say(greeting_)) return;
  char buffer[4096];
  while (readable(client)) {
    const ssize_t got = ::read(client, buffer, sizeof buffer);
    if (got <= 0) return;
    pending.append(buffer, static_cast<std::size_t>(got));
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const std::string line = pending.substr(0, end);
      pending.erase(0, end + 1);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(line);
      }
      const std::string answer = answer_(line);
      if (answer == kClose || !say(answer)) return;
    }
  }
}

}  // namespace clockmend::tests
