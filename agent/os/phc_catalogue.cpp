#include "agent/os/phc_catalogue.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <utility>

#include "agent/os/errors.hpp"
#include "agent/os/files.hpp"
#include "agent/os/phc_device.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {
namespace {

constexpr const char* kClass = "/sys/class/ptp";
constexpr std::string_view kDev = "/dev/";
constexpr std::size_t kMostDevices = 64;

core::Error another(const std::string& node) { return {core::ErrorCode::not_found, node + " is another clock now"}; }

}  // namespace

std::string LinuxPhcCatalogue::attribute(const std::string& kernel_name, const char* name) const {
  auto text = PosixFileReader{root_}.read(std::string(kClass) + "/" + kernel_name + "/" + name, 256);
  if (!text) return {};
  std::string value = std::move(text).value();
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

std::vector<core::PhcDevice> LinuxPhcCatalogue::list() {
  std::vector<core::PhcDevice> devices;
  for (const std::string& kernel_name : PosixFileReader{root_}.list(kClass)) {
    if (devices.size() == kMostDevices) break;
    devices.push_back({std::string(kDev) + kernel_name, attribute(kernel_name, "clock_name")});
  }
  return devices;
}

core::Result<std::unique_ptr<core::Phc>> LinuxPhcCatalogue::open(const core::PhcDevice& device) {
  const std::string kernel_name = device.node.starts_with(kDev) ? device.node.substr(kDev.size()) : std::string{};
  if (kernel_name.empty() || kernel_name.find('/') != std::string::npos)
    return core::Error{core::ErrorCode::invalid, device.node + " is no /dev/ptpN"};
  UniqueFd fd{::open((root_ + device.node).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd) return errno_error(errno, device.node);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error(errno, device.node);
  // Numbers are given anew: what was opened must be what sysfs names now, and that what was asked for.
  const std::string number = std::to_string(::major(info.st_rdev)) + ":" + std::to_string(::minor(info.st_rdev));
  if (!S_ISCHR(info.st_mode) || attribute(kernel_name, "dev") != number) return another(device.node);
  if (attribute(kernel_name, "clock_name") != device.clock_name) return another(device.node);
  return std::unique_ptr<core::Phc>(std::make_unique<LinuxPhc>(std::move(fd), device.node));
}

}  // namespace clockmend::os
