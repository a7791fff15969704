#include "agent/os/rtc_device.hpp"

#include <fcntl.h>
#include <linux/rtc.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "agent/os/errors.hpp"
#include "agent/os/files.hpp"
#include "agent/os/rtc_time.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {
namespace {

core::Result<UniqueFd> open_rtc(const std::string& path) {
  UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (fd) return fd;
  if (errno == EBUSY) return core::Error{core::ErrorCode::busy, path + " is held by another process"};
  return errno_error(errno, path);
}

// /etc/adjtime is looked at again so often, and whenever the RTC is further off than any clock that is only drifting.
constexpr unsigned kModeEvery = 64;
constexpr core::seconds kFarOff{60};

core::Error no_rtc() { return {core::ErrorCode::not_found, "no RTC device"}; }

}  // namespace

LinuxRtc::LinuxRtc(RtcPlace place, core::ClockReader& clocks) : place_(std::move(place)), clocks_(clocks), mode_file_(place_.root) {}

std::vector<std::string> LinuxRtc::candidates() const {
  if (!place_.device.empty()) return {place_.device};
  std::vector<std::string> nodes{"/dev/rtc"};  // udev points it at the one the kernel set the time from (hctosys)
  for (const std::string& name : PosixFileReader{place_.root}.list("/sys/class/rtc")) nodes.push_back("/dev/" + name);
  return nodes;
}

std::string LinuxRtc::name_of(const std::string& node) const {
  std::error_code ec;
  const auto real = std::filesystem::canonical(place_.root + node, ec);
  return ec ? std::filesystem::path(node).filename().string() : real.filename().string();
}

LinuxRtc::Device LinuxRtc::identify(const std::string& node) const {
  const std::string name = name_of(node);
  std::error_code ec;
  const bool there = std::filesystem::exists(place_.root + node, ec);
  auto driver = PosixFileReader{place_.root}.read("/sys/class/rtc/" + name + "/name", 256);
  std::string text = driver ? std::move(driver).value() : std::string{};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return {there ? "/dev/" + name : node, std::move(text)};
}

core::Result<core::RtcSecond> LinuxRtc::read_device(const std::string& node) {
  const std::string path = place_.root + node;
  auto fd = open_rtc(path);
  if (!fd) return fd.error();
  rtc_time value{};
  core::RtcSecond second;
  second.before = clocks_.snapshot();
  const int rc = ::ioctl(fd->get(), RTC_RD_TIME, &value);
  const int number = errno;
  second.after = clocks_.snapshot();
  if (rc != 0) return errno_error(number, path + ": RTC_RD_TIME");
  return judged(second, value);
}

core::Result<core::RtcSecond> LinuxRtc::read_sysfs() {
  core::RtcSecond second;
  second.before = clocks_.snapshot();
  const auto value = since_epoch_.read();
  second.after = clocks_.snapshot();
  if (!value) return value.error();
  return judged(second, *value);
}

core::Result<core::RtcSecond> LinuxRtc::judged(core::RtcSecond second, const rtc_time& value) {
  const auto now = std::chrono::floor<core::seconds>(second.after.realtime.time_since_epoch());
  if (reads_++ % kModeEvery == 0) known_mode_ = mode();
  auto utc = seconds_from_rtc(value, known_mode_, now);
  const bool far = !utc || *utc - now > kFarOff || now - *utc > kFarOff;
  if (far) {
    known_mode_ = mode();
    utc = seconds_from_rtc(value, known_mode_, now);
  }
  if (!utc) return utc.error();
  second.utc = *utc;
  return second;
}

core::Result<core::RtcSecond> LinuxRtc::read() {
  if (device_) {
    auto second = since_epoch_.is_open() ? read_sysfs() : read_device(device_->node);
    if (second || second.error().code != core::ErrorCode::not_found) return second;
    device_.reset();  // unplugged: look again
    since_epoch_.close();
  }
  core::Error last = no_rtc();
  for (const std::string& node : candidates()) {
    auto second = read_device(node);
    if (second) {
      device_ = identify(node);
      since_epoch_.open(place_.root, name_of(node));
      return second;
    }
    if (second.error().code != core::ErrorCode::not_found || last.code == core::ErrorCode::not_found) last = second.error();
  }
  return last;
}

core::Status LinuxRtc::write(core::seconds utc) {
  const auto device = current();
  if (!device) return no_rtc();
  auto value = seconds_to_rtc(utc, mode());
  if (!value) return value.error();
  const std::string path = place_.root + device->node;
  auto fd = open_rtc(path);
  if (!fd) return fd.error();
  if (::ioctl(fd->get(), RTC_SET_TIME, &*value) != 0) return errno_error(errno, path + ": RTC_SET_TIME");
  return core::success();
}

core::milliseconds LinuxRtc::first_edge_after_write() const {
  // A CMOS RTC ticks half a second after it was set (MC146818 divider reset), and QEMU models that; other RTCs restart
  // their second with the write (kernel: set_offset_nsec in drivers/rtc).
  const auto device = current();
  const bool cmos = device && device->driver.starts_with("rtc_cmos");
  return cmos ? core::milliseconds{500} : core::milliseconds{1000};
}

core::RtcMode LinuxRtc::mode() const { return mode_file_.mode(); }

std::optional<LinuxRtc::Device> LinuxRtc::current() const {
  if (device_) return device_;
  for (const std::string& node : candidates()) {
    struct stat info {};
    if (::stat((place_.root + node).c_str(), &info) == 0) return identify(node);
  }
  return std::nullopt;
}

bool LinuxRtc::present() const {
  struct stat info {};
  const auto device = current();
  return device && ::stat((place_.root + device->node).c_str(), &info) == 0;
}

std::string LinuxRtc::describe() const {
  const auto device = current();
  if (!device) return no_rtc().text;
  return device->driver.empty() ? device->node : device->node + " (" + device->driver + ")";
}

}  // namespace clockmend::os
