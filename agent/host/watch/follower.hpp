// Follows libvirt: one clockmend-host-libvirt after the other, as long as the loop runs.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <string>

#include "agent/host/helper.hpp"

namespace clockmend::host {

class Follower {
 public:
  struct Listener {
    std::function<void(const Domain& domain)> on_domain;  // listed, or its devices changed
    std::function<void()> on_listed;                      // since the last connection all that run were listed
    std::function<void(const Lifecycle& life)> on_life;
    std::function<void(const std::string& why)> on_lost;  // no connection; tried again by itself
  };

  Follower(asio::io_context& loop, Spawn spawn, std::string uri, Listener listener);
  /// Once; the follower must outlive the loop's work.
  void start();

 private:
  [[nodiscard]] asio::awaitable<void> run();
  [[nodiscard]] asio::awaitable<core::Error> follow_once();
  void hear(const Feed& feed);

  asio::io_context& loop_;
  Spawn spawn_;
  std::string uri_;
  Listener listener_;
  asio::steady_timer pause_;
  bool listed_ = false;
};

}  // namespace clockmend::host
