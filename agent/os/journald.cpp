#include "agent/os/journald.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace clockmend::os {
namespace {

constexpr std::size_t kMaxValue = 4096;

void append_field(std::string& record, std::string_view name, std::string_view value) {
  value = value.substr(0, kMaxValue);
  record.append(name);
  if (value.find('\n') == std::string_view::npos) {
    record += '=';
  } else {
    record += '\n';
    for (unsigned shift = 0; shift < 64; shift += 8) {
      record += static_cast<char>((std::uint64_t{value.size()} >> shift) & 0xff);
    }
  }
  record.append(value);
  record += '\n';
}

void append_one_line(std::string& line, std::string_view text) {
  for (const char c : text.substr(0, kMaxValue)) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
}

}  // namespace

std::string journal_record(LogPriority priority, std::string_view identifier, std::string_view message, std::span<const LogField> fields) {
  std::string record;
  record.reserve(256);
  append_field(record, "PRIORITY", std::to_string(static_cast<int>(priority)));
  append_field(record, "SYSLOG_IDENTIFIER", identifier);
  append_field(record, "MESSAGE", message);
  for (const auto& [name, value] : fields) append_field(record, name, value);
  return record;
}

std::string stderr_line(LogPriority priority, std::string_view message, std::span<const LogField> fields) {
  std::string line = "<" + std::to_string(static_cast<int>(priority)) + ">";
  append_one_line(line, message);
  for (const auto& [name, value] : fields) {
    line += ' ';
    append_one_line(line, name);
    line += '=';
    append_one_line(line, value);
  }
  line += '\n';
  return line;
}

bool JournalSink::under_journald() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  char* end = nullptr;
  const unsigned long long device = std::strtoull(stream, &end, 10);
  if (end == stream || *end != ':') return false;
  const unsigned long long inode = std::strtoull(end + 1, nullptr, 10);
  struct stat info {};
  return ::fstat(STDERR_FILENO, &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

JournalSink::JournalSink(std::string identifier, std::string socket_path)
    : identifier_(std::move(identifier)), socket_path_(std::move(socket_path)), to_journal_(under_journald()) {}

void JournalSink::write(LogPriority priority, std::string_view message, std::span<const LogField> fields) {
  if (to_journal_) {
    if (lost_ != announced_) {
      const std::string note = std::to_string(lost_ - announced_) + " log records were lost while journald did not take them";
      if (send_native(journal_record(LogPriority::warning, identifier_, note, {}))) announced_ = lost_;
    }
    if (!send_native(journal_record(priority, identifier_, message, fields))) ++lost_;
    return;
  }
  const std::string line = stderr_line(priority, message, fields);
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) ++lost_;
}

bool JournalSink::send_native(const std::string& datagram) {
  if (!socket_) socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!socket_ || socket_path_.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, socket_path_.c_str(), socket_path_.size() + 1);
  // Not connected, so that a restarted journald is found again.
  return ::sendto(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) >= 0;
}

}  // namespace clockmend::os
