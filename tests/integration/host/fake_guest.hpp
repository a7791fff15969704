// The guest's end of a chardev: a listener on a unix socket that serves one client at a time, like QEMU.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace clockmend::tests {

class FakeGuest {
 public:
  /// What to send for one request line (without its newline); empty: stay silent. "close" ends the connection.
  using Answer = std::function<std::string(const std::string& line)>;
  static constexpr const char* kClose = "close";

  explicit FakeGuest(Answer answer);
  ~FakeGuest();
  FakeGuest(const FakeGuest&) = delete;
  FakeGuest& operator=(const FakeGuest&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Bytes sent to every client before it says anything: what an earlier client left behind.
  void greet(std::string bytes) { greeting_ = std::move(bytes); }
  void start();
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  void serve();
  void serve_client(int client);
  [[nodiscard]] bool readable(int fd) const;

  Answer answer_;
  std::string greeting_;
  std::string folder_;
  std::string path_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace clockmend::tests
