// The PTP hardware clocks a machine has, and opening them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/fake_phc_device.hpp"

namespace clockmend::fakes {

class FakePhcCatalogue final : public core::PhcCatalogue {
 public:
  explicit FakePhcCatalogue(FakeClock& clock) : clock_(clock) {}

  FakePhcDevice& add(const std::string& node, const std::string& clock_name) {
    devices.push_back(std::make_shared<FakePhcDevice>(clock_, node, clock_name));
    return *devices.back();
  }

  std::vector<core::PhcDevice> list() override {
    ++lists;
    std::vector<core::PhcDevice> found;
    for (const auto& device : devices) {
      if (device->present) found.push_back({device->node, device->clock_name});
    }
    return found;
  }
  core::Result<std::unique_ptr<core::Phc>> open(const core::PhcDevice& wanted) override {
    for (const auto& device : devices) {
      if (!device->present || device->node != wanted.node) continue;
      ++device->opens;
      if (device->clock_name != wanted.clock_name) return core::Error{core::ErrorCode::not_found, wanted.node + " is another clock now"};
      if (device->open_error) return *device->open_error;
      return std::unique_ptr<core::Phc>(std::make_unique<Open>(device));
    }
    return core::Error{core::ErrorCode::not_found, wanted.node + ": no such device"};
  }

  std::vector<std::shared_ptr<FakePhcDevice>> devices;
  unsigned lists = 0;

 private:
  class Open final : public core::Phc {
   public:
    explicit Open(std::shared_ptr<FakePhcDevice> device) : device_(std::move(device)), instance_(device_->instance) {}
    core::Result<core::PhcReading> read() override { return device_->read(instance_); }

   private:
    std::shared_ptr<FakePhcDevice> device_;
    unsigned instance_;
  };

  FakeClock& clock_;
};

}  // namespace clockmend::fakes
