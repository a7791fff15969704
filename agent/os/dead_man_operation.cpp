#include "agent/os/dead_man_operation.hpp"

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include "agent/os/errors.hpp"
#include "agent/os/transient_operation.hpp"

namespace clockmend::os {
namespace {

constexpr std::string_view kTimerSuffix = ".timer";

// Forgotten by systemd when it has ended, however that was.
int append_common(sd_bus_message* m) {
  int rc = ::sd_bus_message_append(m, "(sv)", "Description", "s", "clockmend starts the time daemon that it stopped");
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed");
  return rc;
}

int append_service(sd_bus_message* m, const std::string& name, const std::vector<std::string>& argv) {
  int rc = ::sd_bus_message_open_container(m, 'a', "(sa(sv))");
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'r', "sa(sv)");
  if (rc >= 0) rc = ::sd_bus_message_append(m, "s", name.c_str());
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'a', "(sv)");
  if (rc >= 0) rc = append_common(m);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "Type", "s", "oneshot");
  if (rc >= 0) rc = append_command(m, argv);
  for (int open = 0; open < 3; ++open)
    if (rc >= 0) rc = ::sd_bus_message_close_container(m);
  return rc;
}

}  // namespace

DeadManOperation::DeadManOperation(std::shared_ptr<SystemdSession> session, std::string timer, std::vector<std::string> argv,
                                   core::milliseconds after, core::DeadMan::Reply reply)
    : AnsweringOperation(std::move(session), "arming " + timer, std::move(reply)),
      timer_(std::move(timer)),
      argv_(std::move(argv)),
      after_(after) {}

void DeadManOperation::begin() {
  if (argv_.empty() || !argv_.front().starts_with('/')) return fail({core::ErrorCode::invalid, what() + ": not an absolute path"});
  sd_bus_message* raw = nullptr;
  int rc = ::sd_bus_message_new_method_call(session().bus(), &raw, kSystemdService, kSystemdPath, kSystemdManager, "StartTransientUnit");
  const MessagePtr message{raw};
  if (rc >= 0) rc = compose(message.get());
  sd_bus_slot* slot = nullptr;
  if (rc >= 0) rc = ::sd_bus_call_async(session().bus(), &slot, message.get(), &DeadManOperation::on_job_queued, this, 0);
  call_.reset(slot);
  if (rc < 0) fail({core::ErrorCode::unavailable, errno_error(-rc, what()).text});
}

// systemd.timer(5): OnActiveSec= counts CLOCK_MONOTONIC from the timer's start; it is forgotten once it has elapsed.
int DeadManOperation::compose(sd_bus_message* m) const {
  const auto usec = static_cast<std::uint64_t>(std::chrono::microseconds{after_}.count());
  const std::string service = timer_.substr(0, timer_.size() - kTimerSuffix.size()) + ".service";
  int rc = ::sd_bus_message_append(m, "ss", timer_.c_str(), "fail");
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'a', "(sv)");
  if (rc >= 0) rc = append_common(m);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "TimersMonotonic", "a(st)", 1, "OnActiveSec", usec);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "AccuracyUSec", "t", std::uint64_t{1'000'000});
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "RemainAfterElapse", "b", 0);
  if (rc >= 0) rc = ::sd_bus_message_close_container(m);
  if (rc >= 0) rc = append_service(m, service, argv_);
  return rc;
}

int DeadManOperation::on_job_queued(sd_bus_message* reply, void* self, sd_bus_error*) {
  const auto operation = std::static_pointer_cast<DeadManOperation>(static_cast<DeadManOperation*>(self)->shared_from_this());
  if (!operation->answered()) operation->job_queued(reply);
  return 0;
}

void DeadManOperation::job_queued(sd_bus_message* reply) {
  if (auto ok = check_reply(reply, what()); !ok) return fail(ok.error());
  const char* job = nullptr;
  if (const int rc = ::sd_bus_message_read(reply, "o", &job); rc < 0) return fail(errno_error(-rc, what()));
  job_ = job;
  if (const auto result = session().removed_job(job_)) job_ended(*result);
}

void DeadManOperation::job_removed(const std::string& job, const std::string& result) {
  if (!answered() && !job_.empty() && job == job_) job_ended(result);
}

void DeadManOperation::job_ended(const std::string& result) {
  if (result == "done") return answer(core::Done{});
  fail({core::ErrorCode::io, what() + ": the job ended as \"" + result + "\""});
}

}  // namespace clockmend::os
