// Bytes to lines: newline framing with the QEMU guest agent's 0xFF flush, in a buffer that never grows beyond one line.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/ports/byte_stream.hpp"

namespace clockmend::channel {

class LineReader {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    /// One line without its end ("\n" or "\r\n"), not blank, at most wire::kMaxRequestLine bytes. `arrival` is backlog if any
    /// of its bytes was.
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
  void finish(core::Arrival arrival, Sink& sink);

  std::string partial_;
  bool partial_is_backlog_ = false;
  bool skipping_ = false;
};

}  // namespace clockmend::channel
