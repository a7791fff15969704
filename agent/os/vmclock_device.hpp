// The hypervisor's vmclock page, by /dev/vmclockN (drivers/ptp/ptp_vmclock.c).
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agent/core/ports/vmclock.hpp"
#include "agent/os/vmclock_watch.hpp"

namespace clockmend::os {

/// Mapped where the device allows it (no system call per read but the clocks'), else by pread(2), which copies under the
/// kernel's own seq_count loop. A page that stays mid-update is given up after some hundred tries: the caller's next tick
/// will do.
class VmclockDevice final : public core::Vmclock {
 public:
  /// `path` as configured; where it is missing and its last part is "vmclock0", the other numbers are tried (renumbered).
  /// `root` is the prefix before it, /proc and /sys (which tell whether the processor's counter can be used).
  VmclockDevice(asio::io_context& io, const std::string& path, const std::string& root = {});
  VmclockDevice(const VmclockDevice&) = delete;
  VmclockDevice& operator=(const VmclockDevice&) = delete;
  ~VmclockDevice() override;

  core::Result<core::VmclockPage> read() override;
  core::Status watch(std::function<void()> on_change) override;
  void reopen() override;
  [[nodiscard]] bool present() const override;
  [[nodiscard]] std::string describe() const override;

  /// Whether the page is mapped now; false while it is closed or read by pread(2).
  [[nodiscard]] bool mapped() const;

 private:
  struct Page;

  core::Status open();
  [[nodiscard]] std::string node() const;

  asio::io_context& io_;
  std::string path_;
  std::string root_;
  bool counter_usable_ = false;          // as of opening
  std::unique_ptr<Page> page_;           // while open
  std::unique_ptr<VmclockWatch> watch_;  // from the first watch() on; goes before its page
};

}  // namespace clockmend::os
