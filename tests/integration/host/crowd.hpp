// Very many guests: one thread and one epoll set answer any number of sockets.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tests/fakes/temp_dir.hpp"
#include "tests/integration/host/fake_guest.hpp"

namespace clockmend::tests {

class Crowd {
 public:
  /// `count` listening sockets in a folder of their own, FOLDER/vmN.sock.
  Crowd(std::size_t count, FakeGuest::Answer answer);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  [[nodiscard]] const std::string& folder() const { return folder_.path(); }
  [[nodiscard]] std::vector<std::string> sockets() const;
  /// The largest number of connections at the same time.
  [[nodiscard]] std::size_t most() const { return most_; }

 private:
  void serve();
  void take(int listener);
  void hear(int client);

  fakes::TempDir folder_;
  std::size_t count_;
  FakeGuest::Answer answer_;
  int epoll_ = -1;
  int stop_ = -1;
  std::vector<int> listeners_;
  std::unordered_map<int, std::string> pending_;  // by client
  std::atomic<std::size_t> most_ = 0;
  std::thread thread_;
};

}  // namespace clockmend::tests
