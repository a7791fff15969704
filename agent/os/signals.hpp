// SIGTERM, SIGINT and SIGHUP as calls from the event loop.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>

namespace clockmend::os {

enum class ProcessSignal { terminate, reload };

class SignalWatch {
 public:
  /// SIGTERM and SIGINT arrive as `terminate`, SIGHUP as `reload`. SIGPIPE is ignored from here on: a peer that goes
  /// away is an error code, not the end of the process.
  SignalWatch(asio::io_context& io, std::function<void(ProcessSignal)> on_signal);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace clockmend::os
