// Running one program as a transient unit.
#pragma once

#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"
#include "agent/os/systemd_operation.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// StartTransientUnit for a service of type oneshot, whose job ends with the program; then its exit status, and what it wrote
/// into a file in memory.
class TransientOperation final : public AnsweringOperation<core::CommandResult> {
 public:
  TransientOperation(std::shared_ptr<SystemdSession> session, std::string unit, std::vector<std::string> argv, core::milliseconds limit,
                     core::CommandRunner::Reply reply);

  void begin() override;
  void job_removed(const std::string& job, const std::string& result) override;

 private:
  using Handler = void (TransientOperation::*)(sd_bus_message*);
  template <Handler handler>
  static int forward(sd_bus_message* reply, void* self, sd_bus_error* error);

  void drop_calls() override;
  [[nodiscard]] int compose(sd_bus_message* m) const;
  void on_job_queued(sd_bus_message* reply);
  void job_ended(const std::string& result);
  void ask_exit_status();
  void on_exit_status(sd_bus_message* reply);
  void forget_failure();
  [[nodiscard]] std::string output() const;

  std::string unit_;
  std::vector<std::string> argv_;
  core::milliseconds limit_;
  UniqueFd written_;
  std::string job_;
  std::string job_result_;
  SlotPtr call_;
};

}  // namespace clockmend::os
