// Runs a real event loop until something holds; for tests of agent/os, whose other side is the kernel.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>

namespace clockmend::fakes {

/// True as soon as `done()` holds; false after `patience`, which is long enough for a machine under load and is only waited
/// for when the test fails.
template <typename Predicate>
bool run_until(asio::io_context& io, Predicate done, std::chrono::milliseconds patience = std::chrono::seconds{10}) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) return false;
    io.restart();
    io.run_one_for(std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds{200}));
  }
  return true;
}

/// Lets the loop work for a while, to see that something does not happen.
inline void run_for(asio::io_context& io, std::chrono::milliseconds time) {
  io.restart();
  io.run_for(time);
}

/// Runs what is ready now and returns.
inline void run_ready(asio::io_context& io) {
  io.restart();
  io.poll();
}

}  // namespace clockmend::fakes
