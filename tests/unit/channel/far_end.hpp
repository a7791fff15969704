// A stream the test holds both ends of.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/ports/byte_stream.hpp"

namespace clockmend::tests {

/// What is beyond the stream: alive as long as the test wants, whether or not the stream is.
struct FarEnd {
  core::ByteStream::OnBytes on_bytes;
  core::ByteStream::OnState on_state;
  core::StreamState state = core::StreamState::host_connected;
  std::string received;  // everything the agent sent
  bool closed = false;
  bool alive = true;
  std::optional<core::Error> refuses;  // what send() answers

  void say(const std::string& bytes, core::Arrival arrival = core::Arrival::live) {
    for (std::size_t i = 0; alive && i < bytes.size(); i += 4096) on_bytes(std::string_view(bytes).substr(i, 4096), arrival);
  }
  void become(core::StreamState s) {
    state = s;
    on_state(s, "");
  }
  /// Complete lines received so far, taken out.
  std::vector<std::string> lines() {
    std::vector<std::string> out;
    for (std::size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
      out.push_back(received.substr(0, end));
      received.erase(0, end + 1);
    }
    return out;
  }
};

class FakeStream final : public core::ByteStream {
 public:
  explicit FakeStream(std::shared_ptr<FarEnd> far) : far_(std::move(far)) {}
  ~FakeStream() override { far_->alive = false; }
  void start(OnBytes on_bytes, OnState on_state) override {
    far_->on_bytes = std::move(on_bytes);
    far_->on_state = std::move(on_state);
  }
  core::Status send(std::string_view bytes) override {
    if (far_->refuses) return *far_->refuses;
    far_->received += bytes;
    return core::success();
  }
  std::size_t pending() const override { return 0; }
  void close() override { far_->closed = true; }
  core::StreamState state() const override { return far_->state; }

 private:
  std::shared_ptr<FarEnd> far_;
};

}  // namespace clockmend::tests
