#include "agent/os/systemd_services.hpp"

#include <utility>

#include "agent/os/errors.hpp"
#include "agent/os/process.hpp"
#include "agent/os/systemd_operation.hpp"
#include "agent/os/transient_operation.hpp"
#include "agent/os/unit_operation.hpp"

namespace clockmend::os {
namespace {

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
  auto operation = std::make_shared<TransientOperation>(session_, unit, argv, deadline, std::move(reply));
  operation->set_deadline(deadline);
  session_->run(std::move(operation));
}

}  // namespace clockmend::os
