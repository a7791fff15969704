// Structured log records to journald, or plain lines to stderr.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// syslog(3) priorities.
enum class LogPriority { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// A field name is upper case, digits and underscores ("CLOCKMEND_OFFSET_NS"); a value may hold anything.
using LogField = std::pair<std::string_view, std::string_view>;

/// Speaks journald's native protocol over a non-blocking socket: sd_journal_sendv(3) would hold the whole agent while journald
/// is stuck, and being late is worse here than losing a line. Lost ones are counted and announced with the next.
class JournalSink {
 public:
  /// `socket_path` is a parameter for tests. Fields beyond a few KiB are cut.
  explicit JournalSink(std::string identifier, std::string socket_path = "/run/systemd/journal/socket");

  /// Whether stderr is journald's own stream (JOURNAL_STREAM, systemd.exec(5)), so that records go to it natively.
  [[nodiscard]] static bool under_journald();

  /// Uses journald if `under_journald()` held at construction, else stderr.
  void write(LogPriority priority, std::string_view message, std::span<const LogField> fields = {});
  /// Chooses by hand (tests, `--log=stderr`).
  void use_journal(bool yes) { to_journal_ = yes; }

  [[nodiscard]] unsigned long lost() const { return lost_; }

 private:
  bool send_native(const std::string& datagram);

  std::string identifier_;
  std::string socket_path_;
  bool to_journal_;
  UniqueFd socket_;
  unsigned long lost_ = 0;
  unsigned long announced_ = 0;
};

/// One record in the native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): NAME=value lines, or NAME, a 64-bit
/// little-endian length and the bytes where the value holds a line break.
[[nodiscard]] std::string journal_record(LogPriority priority, std::string_view identifier, std::string_view message,
                                         std::span<const LogField> fields);

/// The same as one line for a terminal: "<6>message name=value ...", without line breaks.
[[nodiscard]] std::string stderr_line(LogPriority priority, std::string_view message, std::span<const LogField> fields);

}  // namespace clockmend::os
