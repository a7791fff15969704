// The kernel's log as it is written: /dev/kmsg.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "agent/core/ports/kernel_log.hpp"

namespace clockmend::os {

/// Woken by new lines, at most ten times a second and for at most KernelLogPump::kRecordsPerPump lines each time: a flood of
/// kernel messages costs little, and what it overwrites is counted.
class KmsgLog final : public core::KernelLog {
 public:
  explicit KmsgLog(asio::io_context& io, std::string path = "/dev/kmsg");
  KmsgLog(const KmsgLog&) = delete;
  KmsgLog& operator=(const KmsgLog&) = delete;
  ~KmsgLog() override;

  core::Status start(OnLine on_line, OnEnd on_end) override;
  [[nodiscard]] std::uint64_t overruns() const override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace clockmend::os
