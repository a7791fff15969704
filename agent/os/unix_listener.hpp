// The control socket.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "agent/core/ports/byte_stream.hpp"

namespace clockmend::os {

struct ListenerPlace {
  std::string path;
  unsigned mode = 0660;
  unsigned max_clients = 16;  // further ones are closed at once
};

/// Removes a socket file that nobody listens on before binding, and its own when destroyed; never touches anything else
/// at that path.
class UnixListener final : public core::StreamListener {
 public:
  UnixListener(asio::io_context& io, ListenerPlace place);
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;
  ~UnixListener() override;

  core::Status start(OnClient on_client) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace clockmend::os
