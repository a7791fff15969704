// Bytes to lines: newline framing with the QEMU guest agent's 0xFF flush, in a buffer that never grows beyond one line. As there,
// an object is a request without waiting for the newline after it, which some clients never send.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/ports/byte_stream.hpp"

namespace clockmend::channel {

/// Finds the brace that ends an object, whatever the strings in it hold. What does not begin with a brace has no such end.
class ObjectEnd {
 public:
  /// The number of bytes of `more` up to the end, or npos: not there yet, or never.
  [[nodiscard]] std::size_t find(std::string_view more);
  void reset() { *this = {}; }

 private:
  [[nodiscard]] bool ends_with(char c);

  std::size_t depth_ = 0;
  bool other_ = false;      // begins with something else
  bool in_string_ = false;  // JSON strings; a quote within one stands behind a backslash
  bool escaped_ = false;
};

class LineReader {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    /// One line without its end ("\n" or "\r\n"), or one object of it; not blank, at most wire::kMaxRequestLine bytes. `arrival` is backlog
    /// if any of its bytes was.
    virtual void on_line(std::string_view line, core::Arrival arrival) = 0;
    /// Called once for each line that is too long, as soon as that is known; the rest of it is skipped.
    virtual void on_oversize() = 0;
  };

  /// `sink` must not call feed() or reset() from its functions.
  void feed(std::string_view bytes, core::Arrival arrival, Sink& sink);
  /// Forgets what is buffered: the other side is a new one.
  void reset();

 private:
  void take(std::string_view part, core::Arrival arrival, Sink& sink);
  void add(std::string_view part, core::Arrival arrival, Sink& sink);
  void finish(core::Arrival arrival, Sink& sink);

  std::string partial_;
  ObjectEnd object_;
  bool partial_is_backlog_ = false;
  bool skipping_ = false;
};

}  // namespace clockmend::channel
