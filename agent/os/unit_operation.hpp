// Querying, stopping or starting one unit.
#pragma once

#include <optional>
#include <string>

#include "agent/os/systemd_operation.hpp"

namespace clockmend::os {

enum class UnitVerb { query, stop, start };

/// stop/start: StopUnit or StartUnit, the end of the job it names (JobRemoved), then the properties. "done" for a start only means
/// that the program was executed, and a stop may leave the unit on its way: the answer is what the properties say.
class UnitOperation final : public AnsweringOperation<core::UnitState> {
 public:
  UnitOperation(std::shared_ptr<SystemdSession> session, UnitVerb verb, std::string unit, core::ServiceManager::Reply reply);

  void begin() override;
  void job_removed(const std::string& job, const std::string& result) override;

 private:
  using Handler = void (UnitOperation::*)(sd_bus_message*);
  template <Handler handler>
  static int forward(sd_bus_message* reply, void* self, sd_bus_error* error);

  [[nodiscard]] std::string progress() const override;
  void drop_calls() override;
  void queue_job();
  void on_job_queued(sd_bus_message* reply);
  void job_ended(const std::string& result);
  void load_unit();
  void on_loaded(sd_bus_message* reply);
  void read_state();
  void on_result(sd_bus_message* reply);
  void on_properties(sd_bus_message* reply);
  void judge(core::UnitState state);
  void judge_stop(core::UnitState state);
  void check_call(int rc);

  UnitVerb verb_;
  std::string unit_;
  std::string job_;         // its path, while it is waited for
  std::string job_result_;  // done, failed, canceled, ...
  std::string path_;        // the unit's object
  std::string service_result_;
  SlotPtr call_;
  SlotPtr result_call_;
  asio::steady_timer recheck_;
};

}  // namespace clockmend::os
