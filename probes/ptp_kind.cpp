#include "probes/ptp_kind.hpp"

#include <algorithm>

#include "agent/core/offset.hpp"

namespace clockmend::probes {
namespace {

using core::Timescale;

enum Rank : unsigned { kvm, hyperv, vmware, vmclock, virtio_utc, virtio_tai, ena, configured, smeared };

constexpr core::seconds kTaiMinusUtc{37};
constexpr core::milliseconds kNear{500};

bool only_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_vmclock(std::string_view name) {
  constexpr std::string_view kPrefix = "vmclock";
  return name.starts_with(kPrefix) && only_digits(name.substr(kPrefix.size()));
}

// "Virtio PTP type %hhu/variant %hhu" (drivers/virtio/virtio_rtc_ptp.c); the types of the virtio specification's clocks.
std::optional<PtpVerdict> judge_virtio(std::string_view name) {
  constexpr std::string_view kPrefix = "Virtio PTP type ";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view rest = name.substr(kPrefix.size());
  const std::string_view type = rest.substr(0, rest.find('/'));
  if (type == "0") return PtpKind{Rank::virtio_utc, false, true, Timescale::utc};
  // It claims TAI, but what a device calls TAI has been UTC before: decided like vmclock's.
  if (type == "1") return PtpKind{Rank::virtio_tai, false, true, Timescale::automatic};
  if (type == "3") return PtpKind{Rank::smeared, true, true, Timescale::automatic};
  return std::string(type == "2" ? "it is a monotonic clock" : "its kind of virtio clock is not known");
}

}  // namespace

PtpVerdict judge_ptp_name(std::string_view clock_name, const core::PtpSettings& settings) {
  if (clock_name == "KVM virtual PTP") return PtpKind{Rank::kvm, false, true, Timescale::utc};
  if (clock_name == "hyperv") return PtpKind{Rank::hyperv, false, true, Timescale::utc};
  if (clock_name == "ptp_vmw") return PtpKind{Rank::vmware, false, true, Timescale::utc};
  if (is_vmclock(clock_name)) return PtpKind{Rank::vmclock, false, true, settings.timescale};
  if (auto virtio = judge_virtio(clock_name)) {
    if (auto* kind = std::get_if<PtpKind>(&*virtio); kind != nullptr && kind->rank == Rank::virtio_tai) kind->scale = settings.timescale;
    return *virtio;
  }
  if (clock_name.starts_with("ena-ptp-")) return PtpKind{Rank::ena, false, true, Timescale::utc};  // then the PCI slot
  const bool allowed = std::find(settings.allow.begin(), settings.allow.end(), clock_name) != settings.allow.end();
  if (allowed && !clock_name.empty()) return PtpKind{Rank::configured, false, false, settings.timescale};
  return std::string("no hypervisor's clock, and not allowed by name (ptp.allow)");
}

core::seconds tai_minus_utc(const core::KernelClockStatus& kernel) {
  return kernel.tai_offset_s != 0 ? core::seconds{kernel.tai_offset_s} : kTaiMinusUtc;
}

std::optional<core::nanoseconds> decide_tai_offset(Timescale scale, core::nanoseconds phc_minus_realtime,
                                                   const core::KernelClockStatus& kernel) {
  const core::nanoseconds tai = tai_minus_utc(kernel);
  switch (scale) {
    case Timescale::utc:
      return core::nanoseconds::zero();
    case Timescale::tai:
      return tai;
    case Timescale::automatic:
      break;
  }
  if (core::magnitude({phc_minus_realtime}) <= kNear) return core::nanoseconds::zero();
  if (!kernel.unsynchronized && core::magnitude({phc_minus_realtime - tai}) <= kNear) return tai;
  return std::nullopt;
}

}  // namespace clockmend::probes
