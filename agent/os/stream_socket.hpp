// One client of a local socket as a byte stream.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>

#include "agent/core/ports/byte_stream.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

class StreamSocket final : public core::ByteStream {
 public:
  /// `on_gone` is called once, when the socket is really closed (a listener counts its clients by it).
  [[nodiscard]] static core::Result<std::unique_ptr<core::ByteStream>> adopt_fd(asio::io_context& io, UniqueFd fd,
                                                                                std::function<void()> on_gone = {});
  StreamSocket(const StreamSocket&) = delete;
  StreamSocket& operator=(const StreamSocket&) = delete;
  ~StreamSocket() override;

  void start(OnBytes on_bytes, OnState on_state) override;
  core::Status send(std::string_view bytes) override;
  [[nodiscard]] std::size_t pending() const override;
  /// What is queued is still written, for at most a second, even when the object is destroyed right after.
  void close() override;
  [[nodiscard]] core::StreamState state() const override;

 private:
  class Session;
  explicit StreamSocket(std::shared_ptr<Session> session);
  std::shared_ptr<Session> session_;
};

/// Connects to a local socket as a client (tests, `clockmend`): at once or not at all.
[[nodiscard]] core::Result<UniqueFd> connect_local(const std::string& path);

}  // namespace clockmend::os
