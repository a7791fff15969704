#include "agent/os/device_table.hpp"

#include <utility>

#include "agent/os/files.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMaxDevices = 256;

core::DeviceEvent event(core::DeviceAction action, const DeviceTable::Device& device) {
  return {action, device.subsystem, device.devnode, device.name};
}

std::string attribute(const std::string& root, const std::string& path) {
  auto text = PosixFileReader{root}.read(path, 4096);
  if (!text) return {};
  std::string value = std::move(text).value();
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

}  // namespace

const char* name_attribute(const std::string& subsystem) { return subsystem == "ptp" ? "clock_name" : "name"; }

std::vector<core::DeviceEvent> DeviceTable::seen(const std::string& kernel_name, Device device, bool changed) {
  const auto found = known_.find(kernel_name);
  if (found == known_.end()) {
    if (known_.size() >= kMaxDevices) return {};
    known_.emplace(kernel_name, device);
    return {event(core::DeviceAction::add, device)};
  }
  if (!changed && found->second == device) return {};
  found->second = device;
  return {event(core::DeviceAction::change, device)};
}

std::vector<core::DeviceEvent> DeviceTable::removed(const std::string& kernel_name) {
  const auto found = known_.find(kernel_name);
  if (found == known_.end()) return {};
  const core::DeviceEvent gone = event(core::DeviceAction::remove, found->second);
  known_.erase(found);
  return {gone};
}

std::vector<core::DeviceEvent> DeviceTable::listed(const Listing& present) {
  std::vector<core::DeviceEvent> events;
  std::vector<std::string> missing;
  for (const auto& [name, device] : known_) {
    if (!present.contains(name)) missing.push_back(name);
  }
  for (const std::string& name : missing) {
    for (auto& gone : removed(name)) events.push_back(std::move(gone));
  }
  for (const auto& [name, device] : present) {
    for (auto& fresh : seen(name, device)) events.push_back(std::move(fresh));
  }
  return events;
}

DeviceTable::Listing scan_sysfs(const std::string& root) {
  DeviceTable::Listing listing;
  for (const char* subsystem : kWatchedSubsystems) {
    const std::string folder = std::string("/sys/class/") + subsystem;
    for (const std::string& kernel_name : PosixFileReader{root}.list(folder)) {
      const std::string name = attribute(root, folder + "/" + kernel_name + "/" + name_attribute(subsystem));
      listing[kernel_name] = {subsystem, "/dev/" + kernel_name, name};
    }
  }
  return listing;
}

}  // namespace clockmend::os
