// Bytes from a guest into lines, however hostile the guest: bounded memory, nothing thrown.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace clockmend::host {

struct Line {
  std::string text;        // without the newline
  bool delimited = false;  // 0xFF came right before it: the answer to guest-sync-delimited
};

/// 0xFF drops what was read of the current line (QEMU guest agent, guest-sync-delimited). A line longer than the limit is
/// dropped up to its newline and counted.
class LineReader {
 public:
  explicit LineReader(std::size_t max_line) : max_line_(max_line) {}

  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<Line> next();
  [[nodiscard]] std::size_t oversize() const { return oversize_; }
  void clear();

 private:
  void end_line();

  std::size_t max_line_;
  Line current_;
  bool skipping_ = false;
  std::size_t oversize_ = 0;
  std::deque<Line> lines_;
};

}  // namespace clockmend::host
