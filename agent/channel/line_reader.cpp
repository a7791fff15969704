#include "agent/channel/line_reader.hpp"

#include "agent/wire/request.hpp"

namespace clockmend::channel {
namespace {

/// Never part of UTF-8, so it cannot be inside a request: it ends whatever garbage came before (qemu-ga-ref, guest-sync-delimited).
constexpr char kFlush = '\xff';
constexpr std::string_view kSpecial{"\n\xff", 2};

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

void LineReader::reset() {
  partial_.clear();
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
  if (skipping_ || part.empty()) return;
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
  std::string_view line = partial_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!skipped && line.size() > wire::kMaxRequestLine) {
    sink.on_oversize();
  } else if (!skipped && !blank(line)) {
    sink.on_line(line, backlog ? core::Arrival::backlog : core::Arrival::live);
  }
  reset();
}

}  // namespace clockmend::channel
