#include "agent/os/device_table.hpp"

#include <sys/stat.h>

#include <utility>

#include "agent/os/files.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMaxDevices = 256;
constexpr std::string_view kVmclock = "vmclock";
constexpr std::string_view kVmgenid = "vmgenid";

core::DeviceEvent event(core::DeviceAction action, const DeviceTable::Device& device) {
  return {action, device.subsystem, device.devnode, device.name};
}

std::string attribute(const std::string& path) {
  auto text = PosixFileReader{}.read(path, 4096);
  if (!text) return {};
  std::string value = std::move(text).value();
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

// A virtio port has no name at first; nothing else ever changes its name.
bool another(const DeviceTable::Device& before, const DeviceTable::Device& now) {
  if (before.subsystem != now.subsystem) return true;
  if (before.instance != 0 && now.instance != 0) return before.instance != now.instance;
  return !before.name.empty() && !now.name.empty() && before.name != now.name;
}

void append(std::vector<core::DeviceEvent>& to, std::vector<core::DeviceEvent> more) {
  for (auto& e : more) to.push_back(std::move(e));
}

void scan_class(const std::string& root, const char* kernel_subsystem, DeviceTable::Listing& listing) {
  const std::string folder = std::string("/sys/class/") + kernel_subsystem;
  for (const std::string& kernel_name : PosixFileReader{root}.list(folder)) {
    const std::string subsystem = watched_as(kernel_subsystem, kernel_name, {});
    if (subsystem.empty()) continue;
    const std::string syspath = root + folder + "/" + kernel_name;
    listing[kernel_name] = {subsystem, "/dev/" + kernel_name, device_name(subsystem, kernel_name, syspath), instance_of(syspath)};
  }
}

// A driver's folder names the devices bound to it, beside its own control files.
void scan_driver(const std::string& root, const char* bus, DeviceTable::Listing& listing) {
  const std::string folder = std::string("/sys/bus/") + bus + "/drivers/" + std::string(kVmgenid);
  for (const std::string& kernel_name : PosixFileReader{root}.list(folder)) {
    if (kernel_name == "bind" || kernel_name == "unbind" || kernel_name == "uevent" || kernel_name == "module") continue;
    listing[kernel_name] = {std::string(kVmgenid), "", kernel_name, instance_of(root + folder + "/" + kernel_name)};
  }
}

}  // namespace

std::string watched_as(std::string_view kernel_subsystem, std::string_view kernel_name, std::string_view driver) {
  if (kernel_subsystem == "misc") return kernel_name.starts_with(kVmclock) ? std::string(kVmclock) : "";
  if (kernel_subsystem == "acpi" || kernel_subsystem == "platform") return driver == kVmgenid ? std::string(kVmgenid) : "";
  return std::string(kernel_subsystem);
}

std::string device_name(const std::string& subsystem, const std::string& kernel_name, const std::string& syspath) {
  if (subsystem == kVmclock || subsystem == kVmgenid) return kernel_name;
  return attribute(syspath + (subsystem == "ptp" ? "/clock_name" : "/name"));
}

std::uint64_t instance_of(const std::string& syspath) {
  struct stat info {};
  return ::stat(syspath.c_str(), &info) == 0 ? info.st_ino : 0;
}

std::vector<core::DeviceEvent> DeviceTable::seen(const std::string& kernel_name, Device device, bool changed) {
  if (lost_) return {};
  return told(kernel_name, std::move(device), changed);
}

std::vector<core::DeviceEvent> DeviceTable::told(const std::string& kernel_name, Device device, bool changed) {
  const auto found = known_.find(kernel_name);
  if (found == known_.end()) {
    if (known_.size() >= kMaxDevices) return {};
    known_.emplace(kernel_name, device);
    return {event(core::DeviceAction::add, device)};
  }
  if (another(found->second, device)) {
    auto events = forgotten(kernel_name);
    append(events, told(kernel_name, std::move(device), false));
    return events;
  }
  if (device.instance == 0) device.instance = found->second.instance;
  const bool same = found->second.devnode == device.devnode && found->second.name == device.name;
  found->second = device;
  if (same && !changed) return {};
  return {event(core::DeviceAction::change, device)};
}

std::vector<core::DeviceEvent> DeviceTable::removed(const std::string& kernel_name) {
  if (lost_) return {};
  return forgotten(kernel_name);
}

std::vector<core::DeviceEvent> DeviceTable::forgotten(const std::string& kernel_name) {
  const auto found = known_.find(kernel_name);
  if (found == known_.end()) return {};
  const core::DeviceEvent gone = event(core::DeviceAction::remove, found->second);
  known_.erase(found);
  return {gone};
}

std::vector<core::DeviceEvent> DeviceTable::listed(const Listing& present) {
  lost_ = false;
  std::vector<core::DeviceEvent> events;
  std::vector<std::string> missing;
  for (const auto& [name, device] : known_) {
    if (!present.contains(name)) missing.push_back(name);
  }
  for (const std::string& name : missing) append(events, forgotten(name));
  for (const auto& [name, device] : present) append(events, told(name, device, false));
  return events;
}

DeviceTable::Listing scan_sysfs(const std::string& root) {
  DeviceTable::Listing listing;
  for (const char* subsystem : {"rtc", "virtio-ports", "ptp", "misc"}) scan_class(root, subsystem, listing);
  for (const char* bus : {"acpi", "platform"}) scan_driver(root, bus, listing);
  return listing;
}

}  // namespace clockmend::os
