// A kernel log the test writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/core/ports/kernel_log.hpp"

namespace clockmend::fakes {

class FakeKernelLog final : public core::KernelLog {
 public:
  core::Status start(OnLine on_line, OnEnd on_end) override {
    if (error) return *error;
    on_line_ = std::move(on_line);
    on_end_ = std::move(on_end);
    return core::success();
  }
  [[nodiscard]] std::uint64_t overruns() const override { return lost; }

  void line(std::string_view text) {
    if (on_line_) on_line_(text);
  }
  void end(const core::Error& why) {
    on_line_ = nullptr;
    if (on_end_) on_end_(why);
  }

  // What the test may set freely.
  std::optional<core::Error> error;  // of start()
  std::uint64_t lost = 0;

 private:
  OnLine on_line_;
  OnEnd on_end_;
};

}  // namespace clockmend::fakes
