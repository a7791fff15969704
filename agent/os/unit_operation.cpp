#include "agent/os/unit_operation.hpp"

#include "agent/os/errors.hpp"

namespace clockmend::os {
namespace {

// Between the end of a stop job and "inactive" there is at most a moment (a restart queued by somebody aside).
constexpr std::chrono::milliseconds kRecheck{100};

std::string sentence(UnitVerb verb, const std::string& unit) {
  switch (verb) {
    case UnitVerb::query:
      return "asking about " + unit;
    case UnitVerb::stop:
      return "stopping " + unit;
    case UnitVerb::start:
      return "starting " + unit;
  }
  return unit;
}

}  // namespace

UnitOperation::UnitOperation(std::shared_ptr<SystemdSession> session, UnitVerb verb, std::string unit, core::ServiceManager::Reply reply)
    : AnsweringOperation(session, sentence(verb, unit), std::move(reply)), verb_(verb), unit_(std::move(unit)), recheck_(session->io()) {}

template <UnitOperation::Handler handler>
int UnitOperation::forward(sd_bus_message* reply, void* self, sd_bus_error*) {
  const auto operation = std::static_pointer_cast<UnitOperation>(static_cast<UnitOperation*>(self)->shared_from_this());
  if (!operation->answered()) ((*operation).*handler)(reply);
  return 0;
}

void UnitOperation::begin() {
  if (verb_ == UnitVerb::query) return load_unit();
  queue_job();
}

std::string UnitOperation::progress() const {
  if (verb_ == UnitVerb::query || (job_.empty() && job_result_.empty())) return "no answer from systemd";
  if (job_result_.empty()) return "the job did not end";
  return "the job ended (" + job_result_ + "), but the unit did not settle";
}

void UnitOperation::drop_calls() {
  call_.reset();
  result_call_.reset();
  recheck_.cancel();
}

void UnitOperation::check_call(int rc) {
  if (rc < 0) fail({core::ErrorCode::unavailable, errno_error(-rc, what()).text});
}

void UnitOperation::queue_job() {
  sd_bus_slot* slot = nullptr;
  // "replace": our job takes the place of a conflicting one already queued.
  const int rc = ::sd_bus_call_method_async(session().bus(), &slot, kSystemdService, kSystemdPath, kSystemdManager,
                                            verb_ == UnitVerb::stop ? "StopUnit" : "StartUnit", &forward<&UnitOperation::on_job_queued>,
                                            this, "ss", unit_.c_str(), "replace");
  call_.reset(slot);
  check_call(rc);
}

void UnitOperation::on_job_queued(sd_bus_message* reply) {
  if (auto ok = check_reply(reply, what()); !ok) return fail(ok.error());
  const char* job = nullptr;
  if (const int rc = ::sd_bus_message_read(reply, "o", &job); rc < 0) return fail(errno_error(-rc, what()));
  job_ = job;
  if (const auto result = session().removed_job(job_)) job_ended(*result);
}

void UnitOperation::job_removed(const std::string& job, const std::string& result) {
  if (!answered() && !job_.empty() && job == job_) job_ended(result);
}

void UnitOperation::job_ended(const std::string& result) {
  if (!job_result_.empty()) return;
  job_result_ = result;
  if (result == "canceled") return fail({core::ErrorCode::cancelled, what() + ": another job took the place of ours"});
  if (result == "dependency") return fail({core::ErrorCode::unavailable, what() + ": something it depends on failed"});
  load_unit();
}

// LoadUnit, not GetUnit: an inactive unit may have been unloaded.
void UnitOperation::load_unit() {
  sd_bus_slot* slot = nullptr;
  const int rc = ::sd_bus_call_method_async(session().bus(), &slot, kSystemdService, kSystemdPath, kSystemdManager, "LoadUnit",
                                            &forward<&UnitOperation::on_loaded>, this, "s", unit_.c_str());
  call_.reset(slot);
  check_call(rc);
}

void UnitOperation::on_loaded(sd_bus_message* reply) {
  if (auto ok = check_reply(reply, what()); !ok) return fail(ok.error());
  const char* path = nullptr;
  if (const int rc = ::sd_bus_message_read(reply, "o", &path); rc < 0) return fail(errno_error(-rc, what()));
  path_ = path;
  read_state();
}

// Result belongs to the Service interface; asked first, so that it is there when the rest arrives.
void UnitOperation::read_state() {
  sd_bus_slot* slot = nullptr;
  int rc = ::sd_bus_call_method_async(session().bus(), &slot, kSystemdService, path_.c_str(), kBusProperties, "Get",
                                      &forward<&UnitOperation::on_result>, this, "ss", "org.freedesktop.systemd1.Service", "Result");
  result_call_.reset(slot);
  slot = nullptr;
  if (rc >= 0) {
    rc = ::sd_bus_call_method_async(session().bus(), &slot, kSystemdService, path_.c_str(), kBusProperties, "GetAll",
                                    &forward<&UnitOperation::on_properties>, this, "s", "org.freedesktop.systemd1.Unit");
    call_.reset(slot);
  }
  check_call(rc);
}

void UnitOperation::on_result(sd_bus_message* reply) {
  if (!check_reply(reply, what())) return;  // not a service, or not loaded: it has no result
  if (auto text = read_string_variant(reply)) service_result_ = std::move(text).value();
}

void UnitOperation::on_properties(sd_bus_message* reply) {
  if (auto ok = check_reply(reply, what()); !ok) return fail(ok.error());
  auto state = read_unit_properties(reply);
  if (!state) return fail(state.error());
  state->result = service_result_;
  judge(std::move(state).value());
}

void UnitOperation::judge(core::UnitState state) {
  if (state.load_state == "not-found") return fail({core::ErrorCode::not_found, what() + ": no such unit"});
  if (verb_ == UnitVerb::stop) return judge_stop(std::move(state));
  answer(std::move(state));
}

void UnitOperation::judge_stop(core::UnitState state) {
  if (state.active_state == "inactive" || state.active_state == "failed") return answer(std::move(state));
  recheck_.expires_after(kRecheck);
  recheck_.async_wait([weak = weak_from_this()](const asio::error_code& ec) {
    const auto self = std::static_pointer_cast<UnitOperation>(weak.lock());
    if (ec || !self || self->answered()) return;
    if (self->session().bus() == nullptr) return;
    self->read_state();
    self->session().kick();
  });
}

}  // namespace clockmend::os
