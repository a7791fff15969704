// One guest as `watch` knows it.
#pragma once

#include <asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "agent/core/time.hpp"
#include "agent/host/domain_feed.hpp"
#include "agent/host/lifecycle.hpp"

namespace clockmend::host {

/// What is to be told, and since when.
struct Errand {
  core::NoticeEvent event = core::NoticeEvent::resumed;
  core::MonotonicPoint since{};  // libvirt's event
  std::size_t tries = 0;
};

/// A notice whose report is still to be read.
struct Awaited {
  std::string id;
  core::nanoseconds until_told{};  // from the event
  std::size_t tries = 0;
};

struct Guest {
  explicit Guest(asio::io_context& loop) : again(loop) {}

  Domain domain;
  LifeStory story;
  std::optional<Errand> errand;
  std::optional<Awaited> awaited;
  bool visiting = false;     // a session is in its port
  bool queued = false;       // waits for its turn
  asio::steady_timer again;  // the next try

  [[nodiscard]] bool reachable() const { return domain.running && !domain.socket.empty(); }
};

/// When to try again to tell a guest that did not listen; nothing: not any more. It may still be waking up, restart its agent, or
/// be held by somebody else.
[[nodiscard]] std::optional<core::milliseconds> next_try(std::size_t tries);
/// When to look for the report; nothing: not any more.
[[nodiscard]] std::optional<core::milliseconds> next_look(std::size_t tries);

}  // namespace clockmend::host
