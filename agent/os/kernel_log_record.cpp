#include "agent/os/kernel_log_record.hpp"

#include <cerrno>
#include <charconv>
#include <utility>

namespace clockmend::os {

std::optional<std::string_view> kernel_text(std::string_view record) {
  constexpr unsigned kLevelBits = 3;
  unsigned priority = 0;
  const char* end = record.data() + record.size();
  const auto number = std::from_chars(record.data(), end, priority);
  if (number.ec != std::errc{} || number.ptr == end || *number.ptr != ',') return std::nullopt;
  if (priority >> kLevelBits != 0) return std::nullopt;
  const std::size_t prefix = record.find(';');
  if (prefix == std::string_view::npos) return std::nullopt;
  std::string_view text = record.substr(prefix + 1);
  return text.substr(0, text.find('\n'));
}

KernelLogPump::KernelLogPump(ReadOne read_one) : read_one_(std::move(read_one)), buffer_(kRecordMax, '\0') {}

KernelLogPump::End KernelLogPump::pump(const OnLine& on_line, const bool& alive) {
  for (int i = 0; i < kRecordsPerPump; ++i) {
    const std::ptrdiff_t n = read_one_(buffer_.data(), buffer_.size());
    if (n == -EAGAIN) return End::drained;
    if (n == -EINTR) continue;
    if (n == -EPIPE) {
      // Overwritten by newer lines; the next read gives the oldest that is left.
      ++overruns_;
      continue;
    }
    if (n <= 0) {
      error_ = static_cast<int>(-n);
      return End::failed;
    }
    const auto text = kernel_text({buffer_.data(), static_cast<std::size_t>(n)});
    if (text) on_line(*text);
    if (!alive) return End::drained;
  }
  return End::budget;
}

}  // namespace clockmend::os
