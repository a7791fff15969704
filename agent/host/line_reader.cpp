#include "agent/host/line_reader.hpp"

#include <utility>

namespace clockmend::host {

namespace {
constexpr char kDelimiter = '\xff';
}

void LineReader::feed(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte == kDelimiter) {
      current_ = Line{{}, true};
      skipping_ = false;
    } else if (byte == '\n') {
      end_line();
    } else if (skipping_) {
      continue;
    } else if (current_.text.size() == max_line_) {
      skipping_ = true;
      ++oversize_;
      current_.text.clear();
    } else {
      current_.text.push_back(byte);
    }
  }
}

void LineReader::end_line() {
  if (!skipping_ && !current_.text.empty()) lines_.push_back(std::move(current_));
  current_ = Line{};
  skipping_ = false;
}

std::optional<Line> LineReader::next() {
  if (lines_.empty()) return std::nullopt;
  Line line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

void LineReader::clear() {
  current_ = Line{};
  skipping_ = false;
  lines_.clear();
}

}  // namespace clockmend::host
