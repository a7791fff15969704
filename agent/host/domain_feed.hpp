// What clockmend-host-libvirt tells clockmend-host, one line each: words separated by spaces. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/core/result.hpp"

namespace clockmend::host {

/// A virtual machine as libvirt knows it.
struct Domain {
  std::string uuid;
  std::string name;
  std::string socket;  // the host's end of the port org.clockmend.agent.0; empty: it has no such port, or does not run
  bool active = false;
  bool running = false;  // active, and neither paused nor shutting down
  friend bool operator==(const Domain&, const Domain&) = default;
};

/// virConnectDomainEventLifecycleCallback's `event` and `detail`.
struct Lifecycle {
  Domain domain;
  int event = 0;
  int detail = 0;
  friend bool operator==(const Lifecycle&, const Lifecycle&) = default;
};

/// The list is complete.
struct Listed {
  friend bool operator==(const Listed&, const Listed&) = default;
};

using Feed = std::variant<Domain, Lifecycle, Listed, core::Error>;

[[nodiscard]] std::string feed_line(const Feed& feed);
/// `invalid` for what feed_line does not write.
[[nodiscard]] core::Result<Feed> parse_feed(std::string_view line);

/// Bytes that are no printable ASCII, spaces and % as %XX, so that a word never holds a separator.
[[nodiscard]] std::string to_word(std::string_view text);
[[nodiscard]] std::string from_word(std::string_view word);
/// Split at single spaces; an empty word is an empty text.
[[nodiscard]] std::vector<std::string> words_of(std::string_view line);

}  // namespace clockmend::host
