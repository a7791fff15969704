// The vmclock page as bytes (linux/vmclock-abi.h, which Debian 12's kernel headers do not have yet).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/core/ports/vmclock.hpp"

namespace clockmend::os {

/// Field for field as the hypervisor lays it out; all of it little-endian, naturally aligned.
struct VmclockAbi {
  std::uint32_t magic;
  std::uint32_t size;  // of the region that holds the structure: a page where it can be mapped
  std::uint16_t version;
  std::uint8_t counter_id;
  std::uint8_t time_type;
  std::uint32_t seq_count;  // odd: an update is in progress
  std::uint64_t disruption_marker;
  std::uint64_t flags;
  std::array<std::uint8_t, 2> pad;
  std::uint8_t clock_status;
  std::uint8_t leap_second_smearing_hint;
  std::uint16_t tai_offset_sec;
  std::uint8_t leap_indicator;
  std::uint8_t counter_period_shift;
  std::uint64_t counter_value;
  std::uint64_t counter_period_frac_sec;
  std::uint64_t counter_period_esterror_rate_frac_sec;
  std::uint64_t counter_period_maxerror_rate_frac_sec;
  std::uint64_t time_sec;
  std::uint64_t time_frac_sec;
  std::uint64_t time_esterror_nanosec;
  std::uint64_t time_maxerror_nanosec;
  std::uint64_t vm_generation_counter;
};

static_assert(sizeof(VmclockAbi) == 0x70);
static_assert(offsetof(VmclockAbi, magic) == 0x00);
static_assert(offsetof(VmclockAbi, size) == 0x04);
static_assert(offsetof(VmclockAbi, version) == 0x08);
static_assert(offsetof(VmclockAbi, counter_id) == 0x0a);
static_assert(offsetof(VmclockAbi, time_type) == 0x0b);
static_assert(offsetof(VmclockAbi, seq_count) == 0x0c);
static_assert(offsetof(VmclockAbi, disruption_marker) == 0x10);
static_assert(offsetof(VmclockAbi, flags) == 0x18);
static_assert(offsetof(VmclockAbi, pad) == 0x20);
static_assert(offsetof(VmclockAbi, clock_status) == 0x22);
static_assert(offsetof(VmclockAbi, leap_second_smearing_hint) == 0x23);
static_assert(offsetof(VmclockAbi, tai_offset_sec) == 0x24);
static_assert(offsetof(VmclockAbi, leap_indicator) == 0x26);
static_assert(offsetof(VmclockAbi, counter_period_shift) == 0x27);
static_assert(offsetof(VmclockAbi, counter_value) == 0x28);
static_assert(offsetof(VmclockAbi, counter_period_frac_sec) == 0x30);
static_assert(offsetof(VmclockAbi, counter_period_esterror_rate_frac_sec) == 0x38);
static_assert(offsetof(VmclockAbi, counter_period_maxerror_rate_frac_sec) == 0x40);
static_assert(offsetof(VmclockAbi, time_sec) == 0x48);
static_assert(offsetof(VmclockAbi, time_frac_sec) == 0x50);
static_assert(offsetof(VmclockAbi, time_esterror_nanosec) == 0x58);
static_assert(offsetof(VmclockAbi, time_maxerror_nanosec) == 0x60);
static_assert(offsetof(VmclockAbi, vm_generation_counter) == 0x68);

inline constexpr std::uint32_t kVmclockMagic = 0x4b4c4356;  // "VCLK"
inline constexpr std::size_t kVmclockSize = sizeof(VmclockAbi);
inline constexpr std::size_t kVmclockSeqOffset = offsetof(VmclockAbi, seq_count);
inline constexpr std::uint8_t kVmclockCounterTsc = 1;

using VmclockBytes = std::array<std::byte, kVmclockSize>;

/// The page's fields, without counter_now and clocks. `bytes` is as much of the page as could be read; a field is used only
/// if both it and the page's own size reach that far. invalid when magic, version or size are not a vmclock's.
[[nodiscard]] core::Result<core::VmclockPage> decode_vmclock(std::span<const std::byte> bytes);

}  // namespace clockmend::os
