// A timer of systemd's that runs a program when nobody stops it before.
#pragma once

#include <string>
#include <vector>

#include "agent/core/ports/dead_man.hpp"
#include "agent/os/systemd_operation.hpp"

namespace clockmend::os {

/// StartTransientUnit for the timer, with the service that it starts; done when the timer's start job is.
class DeadManOperation final : public AnsweringOperation<core::Done> {
 public:
  /// `timer`: NAME.timer; the service is NAME.service.
  DeadManOperation(std::shared_ptr<SystemdSession> session, std::string timer, std::vector<std::string> argv, core::milliseconds after,
                   core::DeadMan::Reply reply);

  void begin() override;
  void job_removed(const std::string& job, const std::string& result) override;

 private:
  static int on_job_queued(sd_bus_message* reply, void* self, sd_bus_error* error);
  void job_queued(sd_bus_message* reply);
  void job_ended(const std::string& result);
  void drop_calls() override { call_.reset(); }
  [[nodiscard]] int compose(sd_bus_message* m) const;

  std::string timer_;
  std::vector<std::string> argv_;
  core::milliseconds after_;
  std::string job_;
  SlotPtr call_;
};

}  // namespace clockmend::os
