#include "agent/os/signals.hpp"

#include <asio/signal_set.hpp>
#include <csignal>
#include <utility>

namespace clockmend::os {

struct SignalWatch::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, std::function<void(ProcessSignal)> call) : set(io), on_signal(std::move(call)) {}

  void wait() {
    set.async_wait([self = shared_from_this()](const asio::error_code& ec, int number) {
      if (ec || !self->on_signal) return;
      self->wait();
      self->on_signal(number == SIGHUP ? ProcessSignal::reload : ProcessSignal::terminate);
    });
  }

  asio::signal_set set;
  std::function<void(ProcessSignal)> on_signal;
};

SignalWatch::SignalWatch(asio::io_context& io, std::function<void(ProcessSignal)> on_signal)
    : state_(std::make_shared<State>(io, std::move(on_signal))) {
  std::signal(SIGPIPE, SIG_IGN);
  asio::error_code ignored;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) state_->set.add(number, ignored);
  state_->wait();
}

SignalWatch::~SignalWatch() {
  asio::error_code ignored;
  state_->set.cancel(ignored);
  state_->set.clear(ignored);
}

}  // namespace clockmend::os
