// Running one program as a transient unit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"
#include "agent/os/systemd_operation.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// What a program may do and use, and what it is told beside its arguments.
struct TransientRights {
  std::uint64_t capabilities = 0;  // one bit each, capabilities(7)
  bool new_privileges = false;     // may it gain what its own programs are given (setuid and the like)
  std::uint64_t largest_file = 0;  // bytes; its output is a file too
  std::uint64_t tasks = 0;
  std::uint64_t memory = 0;              // bytes
  std::vector<std::string> environment;  // "NAME=value"
  std::string bound_to{};                // it is stopped when that unit ends; empty: none
};

/// For chronyc: it talks to a socket, and no more.
[[nodiscard]] TransientRights rights_of_a_tool();
/// For a program that is there to set the clock or the RTC, and for what it needs beside that (a port, a user of its own).
[[nodiscard]] TransientRights rights_of_a_clock_tool(std::string bound_to);
/// For an administrator's own program: everything but setting the clock.
[[nodiscard]] TransientRights rights_of_a_hook(std::vector<std::string> environment);

/// The property ExecStart of a service: no shell, no expansion.
[[nodiscard]] int append_command(sd_bus_message* m, const std::vector<std::string>& argv);

/// StartTransientUnit for a service of type oneshot, whose job ends with the program; then its exit status, and what it wrote
/// into a file in memory.
class TransientOperation final : public AnsweringOperation<core::CommandResult> {
 public:
  TransientOperation(std::shared_ptr<SystemdSession> session, std::string unit, std::vector<std::string> argv, core::milliseconds limit,
                     TransientRights rights, core::CommandRunner::Reply reply);

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
  void ask(const char* property, sd_bus_message_handler_t handler);
  [[nodiscard]] std::optional<std::int32_t> number_in(sd_bus_message* reply);
  void on_exit_code(sd_bus_message* reply);
  void on_exit_status(sd_bus_message* reply);
  void forget_failure();
  [[nodiscard]] std::string output() const;

  std::string unit_;
  std::vector<std::string> argv_;
  core::milliseconds limit_;
  TransientRights rights_;
  UniqueFd written_;
  std::string job_;
  std::string job_result_;
  SlotPtr call_;
};

}  // namespace clockmend::os
