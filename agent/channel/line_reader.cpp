#include "agent/channel/line_reader.hpp"

#include <algorithm>

#include "agent/wire/request.hpp"

namespace clockmend::channel {
namespace {

/// Never part of UTF-8, so it cannot be inside a request: it ends whatever garbage came before (qemu-ga-ref, guest-sync-delimited).
constexpr char kFlush = '\xff';
constexpr std::string_view kSpecial{"\n\xff", 2};

std::string_view without_leading_blanks(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
  return line;
}

}  // namespace

bool ObjectEnd::ends_with(char c) {
  if (in_string_) {
    in_string_ = c != '"' || escaped_;
    escaped_ = c == '\\' && !escaped_;
    return false;
  }
  if (c == '"') in_string_ = true;
  if (c == '{') ++depth_;
  return c == '}' && --depth_ == 0;
}

std::size_t ObjectEnd::find(std::string_view more) {
  for (std::size_t i = 0; i < more.size() && !other_; ++i) {
    if (depth_ > 0 || more[i] == '{') {
      if (ends_with(more[i])) return i + 1;
    } else {
      other_ = !without_leading_blanks(more.substr(i, 1)).empty();
    }
  }
  return std::string_view::npos;
}

void LineReader::reset() {
  partial_.clear();
  object_.reset();
  partial_is_backlog_ = false;
  skipping_ = false;
}

void LineReader::feed(std::string_view bytes, core::Arrival arrival, Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of(kSpecial);
    take(bytes.substr(0, end), arrival, sink);
    if (end == std::string_view::npos) return;
    if (bytes[end] == kFlush) {
      reset();
    } else {
      finish(arrival, sink);
    }
    bytes.remove_prefix(end + 1);
  }
}

void LineReader::take(std::string_view part, core::Arrival arrival, Sink& sink) {
  while (!skipping_ && !part.empty()) {
    const std::size_t end = object_.find(part);
    add(part.substr(0, end), arrival, sink);
    if (end == std::string_view::npos) return;
    part.remove_prefix(end);
    if (!skipping_) finish(arrival, sink);
  }
}

void LineReader::add(std::string_view part, core::Arrival arrival, Sink& sink) {
  if (partial_.size() + part.size() > wire::kMaxRequestLine + 1) {  // one more for a '\r'
    partial_.clear();
    skipping_ = true;
    sink.on_oversize();
    return;
  }
  partial_ += part;
  partial_is_backlog_ = partial_is_backlog_ || arrival == core::Arrival::backlog;
}

void LineReader::finish(core::Arrival arrival, Sink& sink) {
  const bool skipped = skipping_;
  const bool backlog = partial_is_backlog_ || arrival == core::Arrival::backlog;
  std::string_view line = without_leading_blanks(partial_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!skipped && line.size() > wire::kMaxRequestLine) {
    sink.on_oversize();
  } else if (!skipped && !line.empty()) {
    sink.on_line(line, backlog ? core::Arrival::backlog : core::Arrival::live);
  }
  reset();
}

}  // namespace clockmend::channel
