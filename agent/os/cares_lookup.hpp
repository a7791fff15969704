// One look-up: a c-ares channel, its sockets on the loop, its deadline.
#pragma once

#include <ares.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"
#include "agent/os/resolver_cares.hpp"

namespace clockmend::os {

class CaresLookup : public std::enable_shared_from_this<CaresLookup> {
 public:
  using Answer = core::Result<std::vector<std::string>>;
  using DoneCall = std::function<void(Answer)>;

  CaresLookup(asio::io_context& io, std::string name, DoneCall done);
  CaresLookup(const CaresLookup&) = delete;
  CaresLookup& operator=(const CaresLookup&) = delete;
  ~CaresLookup();

  void start(const ResolverPlace& place, core::milliseconds deadline);
  /// Answers without asking anybody, from the loop.
  void answer_soon(Answer answer);
  /// No call of `done` after this; sockets closed at once.
  void abandon();

 private:
  struct Watch {
    explicit Watch(asio::io_context& io) : descriptor(io) {}
    asio::posix::stream_descriptor descriptor;
    bool want_read = false;
    bool want_write = false;
    bool reading = false;  // a wait is pending
    bool writing = false;
  };

  core::Status open_channel(const ResolverPlace& place);
  void ask();
  static void on_socket_state(void* self, ares_socket_t fd, int readable, int writable);
  static void on_addresses(void* self, int status, int timeouts, ares_addrinfo* found);
  void watch(ares_socket_t fd, bool readable, bool writable);
  void arm(const std::shared_ptr<Watch>& watch);
  void wait(const std::shared_ptr<Watch>& watch, bool writing);
  void ready(const std::shared_ptr<Watch>& watch, bool writing);
  void arm_timer();
  void on_timer();
  void settle();
  void close_channel();

  asio::io_context& io_;
  std::string name_;
  DoneCall done_;
  asio::steady_timer timer_;  // the deadline or c-ares' next retry, whichever comes first
  std::chrono::steady_clock::time_point deadline_{};
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Watch>> watches_;
  std::optional<Answer> answer_;
};

}  // namespace clockmend::os
