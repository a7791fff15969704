// Bytes waiting to be written, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/core/result.hpp"

namespace clockmend::os {

class Outgoing {
 public:
  explicit Outgoing(std::size_t limit) : limit_(limit) {}

  /// All or nothing: busy if more than the limit would wait.
  core::Status add(std::string_view bytes) {
    if (size() + bytes.size() > limit_) return core::Error{core::ErrorCode::busy, "the other side does not read"};
    bytes_.append(bytes);
    return core::success();
  }
  [[nodiscard]] std::string_view front() const { return std::string_view{bytes_}.substr(begin_); }
  void drop(std::size_t count) {
    begin_ += count;
    if (begin_ < bytes_.size()) return;
    clear();
  }
  void clear() {
    bytes_ = {};  // gives the memory back: the agent idles far longer than it talks
    begin_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  std::size_t limit_;
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace clockmend::os
