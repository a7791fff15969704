// Records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace clockmend::os {

/// The text of a record the kernel wrote itself (facility 0); nothing for a record of a process, whose facility the kernel
/// never lets be 0, and for what is no record. "6,339,5140900,-;random: crng init done\n KEY=value\n" -> "random: crng init done".
[[nodiscard]] std::optional<std::string_view> kernel_text(std::string_view record);

/// Reads records until there are no more or the budget is spent.
class KernelLogPump {
 public:
  /// Into `buffer`: the length of one record, 0 at the end of a file, or a negative errno.
  using ReadOne = std::function<std::ptrdiff_t(char* buffer, std::size_t size)>;
  using OnLine = std::function<void(std::string_view line)>;

  enum class End { drained, budget, failed };

  explicit KernelLogPump(ReadOne read_one);

  /// `on_line` may destroy this object if it then makes `alive` false.
  End pump(const OnLine& on_line, const bool& alive);
  /// Lines overwritten before they were read, counted by occasion.
  [[nodiscard]] std::uint64_t overruns() const { return overruns_; }
  /// The errno of `failed`; 0: end of file.
  [[nodiscard]] int error() const { return error_; }

  static constexpr int kRecordsPerPump = 128;
  /// The kernel's largest record (PRINTKRB_RECORD_MAX); a smaller buffer would be refused with EINVAL for ever.
  static constexpr std::size_t kRecordMax = 8192;

 private:
  ReadOne read_one_;
  std::string buffer_;
  std::uint64_t overruns_ = 0;
  int error_ = 0;
};

}  // namespace clockmend::os
