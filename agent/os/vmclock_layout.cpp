#include "agent/os/vmclock_layout.hpp"

#include <algorithm>
#include <string>

namespace clockmend::os {
namespace {

constexpr std::uint64_t kPeriodMaxerrorValid = 1U << 4;
constexpr std::uint64_t kTimeMaxerrorValid = 1U << 6;
constexpr std::uint64_t kGenerationPresent = 1U << 8;
/// Up to and with `flags`, as the kernel's driver requires (drivers/ptp/ptp_vmclock.c).
constexpr std::size_t kLeastSize = offsetof(VmclockAbi, pad);

class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void limit(std::size_t size) { bytes_ = bytes_.first(std::min(size, bytes_.size())); }
  [[nodiscard]] bool reach(std::size_t end) const { return bytes_.size() >= end; }

  /// The little-endian number at `offset`; 0 beyond the end.
  template <typename T>
  [[nodiscard]] T at(std::size_t offset) const {
    if (!reach(offset + sizeof(T))) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes_[offset + i]);
    return static_cast<T>(value);
  }
  [[nodiscard]] std::optional<std::uint64_t> if_present(std::size_t offset, bool flagged) const {
    if (!flagged || !reach(offset + sizeof(std::uint64_t))) return std::nullopt;
    return at<std::uint64_t>(offset);
  }

 private:
  std::span<const std::byte> bytes_;
};

core::Error no_vmclock(const std::string& why) { return {core::ErrorCode::invalid, "not a vmclock page: " + why}; }

void decode_time(const Fields& f, core::VmclockPage& page) {
  page.has_time = f.reach(offsetof(VmclockAbi, time_esterror_nanosec));
  page.counter_value = f.at<std::uint64_t>(offsetof(VmclockAbi, counter_value));
  page.counter_period_frac_s = f.at<std::uint64_t>(offsetof(VmclockAbi, counter_period_frac_sec));
  page.period_maxerror_frac_s =
      f.if_present(offsetof(VmclockAbi, counter_period_maxerror_rate_frac_sec), (page.flags & kPeriodMaxerrorValid) != 0);
  page.time_s = f.at<std::uint64_t>(offsetof(VmclockAbi, time_sec));
  page.time_frac_s = f.at<std::uint64_t>(offsetof(VmclockAbi, time_frac_sec));
  page.time_maxerror_ns = f.if_present(offsetof(VmclockAbi, time_maxerror_nanosec), (page.flags & kTimeMaxerrorValid) != 0);
}

}  // namespace

core::Result<core::VmclockPage> decode_vmclock(std::span<const std::byte> bytes) {
  Fields f{bytes};
  if (!f.reach(kLeastSize)) return no_vmclock("only " + std::to_string(bytes.size()) + " bytes");
  if (f.at<std::uint32_t>(offsetof(VmclockAbi, magic)) != kVmclockMagic) return no_vmclock("wrong magic number");
  if (const auto v = f.at<std::uint16_t>(offsetof(VmclockAbi, version)); v != 1) return no_vmclock("version " + std::to_string(v));
  const auto size = f.at<std::uint32_t>(offsetof(VmclockAbi, size));
  if (size < kLeastSize) return no_vmclock("its size is " + std::to_string(size));
  f.limit(size);

  core::VmclockPage page;
  page.counter_id = f.at<std::uint8_t>(offsetof(VmclockAbi, counter_id));
  page.time_type = f.at<std::uint8_t>(offsetof(VmclockAbi, time_type));
  page.seq_count = f.at<std::uint32_t>(kVmclockSeqOffset);
  page.disruption_marker = f.at<std::uint64_t>(offsetof(VmclockAbi, disruption_marker));
  page.flags = f.at<std::uint64_t>(offsetof(VmclockAbi, flags));
  page.clock_status = f.at<std::uint8_t>(offsetof(VmclockAbi, clock_status));
  page.tai_offset_s = static_cast<std::int16_t>(f.at<std::uint16_t>(offsetof(VmclockAbi, tai_offset_sec)));
  page.leap_indicator = f.at<std::uint8_t>(offsetof(VmclockAbi, leap_indicator));
  page.period_shift = f.at<std::uint8_t>(offsetof(VmclockAbi, counter_period_shift));
  decode_time(f, page);
  page.vm_generation_counter = f.if_present(offsetof(VmclockAbi, vm_generation_counter), (page.flags & kGenerationPresent) != 0);
  return page;
}

}  // namespace clockmend::os
