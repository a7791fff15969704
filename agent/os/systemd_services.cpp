#include "agent/os/systemd_services.hpp"

#include <systemd/sd-login.h>

#include <cstdlib>
#include <utility>

#include "agent/os/dead_man_operation.hpp"
#include "agent/os/errors.hpp"
#include "agent/os/process.hpp"
#include "agent/os/systemd_operation.hpp"
#include "agent/os/transient_operation.hpp"
#include "agent/os/unit_operation.hpp"

namespace clockmend::os {
namespace {

/// Creating and starting a timer runs no program: milliseconds, seconds on a starved guest.
constexpr core::milliseconds kDeadManDeadline{4000};

/// The service that this process is part of; empty: none.
std::string own_unit() {
  char* text = nullptr;
  if (::sd_pid_get_unit(0, &text) < 0) return {};
  const std::string unit = text;
  std::free(text);
  return unit.ends_with(".service") ? unit : std::string{};
}

class StoppingQuery final : public AnsweringOperation<bool> {
 public:
  StoppingQuery(std::shared_ptr<SystemdSession> session, std::function<void(core::Result<bool>)> reply)
      : AnsweringOperation(std::move(session), "asking systemd for its state", std::move(reply)) {}

  void begin() override {
    sd_bus_slot* slot = nullptr;
    const int rc = ::sd_bus_call_method_async(session().bus(), &slot, kSystemdService, kSystemdPath, kBusProperties, "Get",
                                              &StoppingQuery::on_state, this, "ss", kSystemdManager, "SystemState");
    call_.reset(slot);
    if (rc < 0) fail({core::ErrorCode::unavailable, errno_error(-rc, what()).text});
  }

 private:
  static int on_state(sd_bus_message* reply, void* self, sd_bus_error*) {
    const auto query = std::static_pointer_cast<StoppingQuery>(static_cast<StoppingQuery*>(self)->shared_from_this());
    if (auto ok = check_reply(reply, query->what()); !ok) {
      query->fail(ok.error());
    } else if (auto state = read_string_variant(reply); !state) {
      query->fail(state.error());
    } else {
      query->answer(*state == "stopping");
    }
    return 0;
  }
  void drop_calls() override { call_.reset(); }

  SlotPtr call_;
};

void run_unit(const std::shared_ptr<SystemdSession>& session, UnitVerb verb, const std::string& unit, core::milliseconds deadline,
              core::ServiceManager::Reply reply) {
  auto operation = std::make_shared<UnitOperation>(session, verb, unit, std::move(reply));
  operation->set_deadline(deadline);
  session->run(std::move(operation));
}

}  // namespace

SystemdServices::SystemdServices(asio::io_context& io, SystemdPlace place)
    : session_(std::make_shared<SystemdSession>(io, std::move(place))) {}

SystemdServices::~SystemdServices() { session_->shut_down(); }

void SystemdServices::query(const std::string& unit, core::milliseconds deadline, core::ServiceManager::Reply reply) {
  run_unit(session_, UnitVerb::query, unit, deadline, std::move(reply));
}

void SystemdServices::stop(const std::string& unit, core::milliseconds deadline, core::ServiceManager::Reply reply) {
  run_unit(session_, UnitVerb::stop, unit, deadline, std::move(reply));
}

void SystemdServices::start(const std::string& unit, core::milliseconds deadline, core::ServiceManager::Reply reply) {
  run_unit(session_, UnitVerb::start, unit, deadline, std::move(reply));
}

void SystemdServices::system_stopping(core::milliseconds deadline, std::function<void(core::Result<bool>)> reply) {
  auto operation = std::make_shared<StoppingQuery>(session_, std::move(reply));
  operation->set_deadline(deadline);
  session_->run(std::move(operation));
}

void SystemdServices::run(const std::vector<std::string>& argv, core::milliseconds deadline, core::CommandRunner::Reply reply) {
  const std::string unit = "clockmend-run-" + std::to_string(process_id()) + "-" + std::to_string(++commands_run_) + ".service";
  auto operation = std::make_shared<TransientOperation>(session_, unit, argv, deadline, rights_of_a_tool(), std::move(reply));
  operation->set_deadline(deadline);
  session_->run(std::move(operation));
}

void SystemdServices::run_clock_tool(const std::vector<std::string>& argv, core::milliseconds deadline, core::CommandRunner::Reply reply) {
  const std::string unit = "clockmend-tool-" + std::to_string(process_id()) + "-" + std::to_string(++commands_run_) + ".service";
  auto operation =
      std::make_shared<TransientOperation>(session_, unit, argv, deadline, rights_of_a_clock_tool(own_unit()), std::move(reply));
  operation->set_deadline(deadline);
  session_->run(std::move(operation));
}

void SystemdServices::run_hook(const std::string& program, const std::vector<std::string>& environment, core::milliseconds deadline,
                               core::CommandRunner::Reply reply) {
  const std::string unit = "clockmend-hook-" + std::to_string(process_id()) + "-" + std::to_string(++commands_run_) + ".service";
  auto operation = std::make_shared<TransientOperation>(session_, unit, std::vector<std::string>{program}, deadline,
                                                        rights_of_a_hook(environment), std::move(reply));
  operation->set_deadline(deadline);
  session_->run(std::move(operation));
}

void SystemdServices::arm(const std::vector<std::string>& argv, core::milliseconds after, core::DeadMan::Reply reply) {
  disarm();
  dead_man_ = "clockmend-dead-man-" + std::to_string(process_id()) + "-" + std::to_string(++commands_run_) + ".timer";
  auto operation = std::make_shared<DeadManOperation>(session_, dead_man_, argv, after, std::move(reply));
  operation->set_deadline(kDeadManDeadline);
  session_->run(std::move(operation));
}

void SystemdServices::disarm() {
  if (dead_man_.empty()) return;
  // Nobody waits for it: where it fails, the timer finds the journal closed.
  run_unit(session_, UnitVerb::stop, std::exchange(dead_man_, {}), kDeadManDeadline, [](const core::Result<core::UnitState>&) {});
}

}  // namespace clockmend::os
