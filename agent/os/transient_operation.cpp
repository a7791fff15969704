#include "agent/os/transient_operation.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "agent/os/errors.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMostOutput = 4096;
constexpr std::uint64_t kMebibyte = 1024 * 1024;
constexpr std::int32_t kExitExec = 203;  // systemd.exec(5): execve() failed
// capabilities(7), by number: chronyc's socket lies in a folder of chronyd's user, and some versions of it give up root first.
constexpr std::uint64_t kToolCapabilities = (1U << 0) | (1U << 1) | (1U << 6) | (1U << 7);  // CHOWN, DAC_OVERRIDE, SETGID, SETUID
// ntpd takes port 123 and real-time priority, chronyd gives up root and keeps what it needs, hwclock opens /dev/rtc.
// NET_BIND_SERVICE, IPC_LOCK, SYS_NICE, SYS_TIME.
constexpr std::uint64_t kClockToolCapabilities = kToolCapabilities | (1U << 10) | (1U << 14) | (1U << 23) | (1U << 25);
// A hook that sets the clock as well would be found out as a rival of ours.
constexpr std::uint64_t kHookCapabilities = ~(std::uint64_t{1} << 25U);  // all but SYS_TIME

int append_words(sd_bus_message* m, const char* property, const std::vector<std::string>& words) {
  int rc = ::sd_bus_message_open_container(m, 'r', "sv");
  if (rc >= 0) rc = ::sd_bus_message_append(m, "s", property);
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'v', "as");
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'a', "s");
  for (const std::string& word : words)
    if (rc >= 0) rc = ::sd_bus_message_append(m, "s", word.c_str());
  for (int open = 0; open < 3; ++open)
    if (rc >= 0) rc = ::sd_bus_message_close_container(m);
  return rc;
}

}  // namespace

int append_command(sd_bus_message* m, const std::vector<std::string>& argv) {
  int rc = ::sd_bus_message_open_container(m, 'r', "sv");
  if (rc >= 0) rc = ::sd_bus_message_append(m, "s", "ExecStart");
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'v', "a(sasb)");
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'a', "(sasb)");
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'r', "sasb");
  if (rc >= 0) rc = ::sd_bus_message_append(m, "s", argv.front().c_str());
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'a', "s");
  for (const std::string& word : argv)
    if (rc >= 0) rc = ::sd_bus_message_append(m, "s", word.c_str());
  if (rc >= 0) rc = ::sd_bus_message_close_container(m);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "b", 0);  // a failure counts
  for (int open = 0; open < 4; ++open)
    if (rc >= 0) rc = ::sd_bus_message_close_container(m);
  return rc;
}

TransientRights rights_of_a_tool() { return {kToolCapabilities, false, kMebibyte / 16, 16, 64 * kMebibyte, {}}; }

TransientRights rights_of_a_clock_tool(std::string bound_to) {
  return {kClockToolCapabilities, false, kMebibyte, 16, 64 * kMebibyte, {}, std::move(bound_to)};
}

TransientRights rights_of_a_hook(std::vector<std::string> environment) {
  return {kHookCapabilities, true, 16 * kMebibyte, 64, 256 * kMebibyte, std::move(environment)};
}

TransientOperation::TransientOperation(std::shared_ptr<SystemdSession> session, std::string unit, std::vector<std::string> argv,
                                       core::milliseconds limit, TransientRights rights, core::CommandRunner::Reply reply)
    : AnsweringOperation(std::move(session), "running " + (argv.empty() ? std::string("nothing") : argv.front()), std::move(reply)),
      unit_(std::move(unit)),
      argv_(std::move(argv)),
      limit_(limit),
      rights_(std::move(rights)),
      written_(::memfd_create("clockmend-output", MFD_CLOEXEC)) {}

template <TransientOperation::Handler handler>
int TransientOperation::forward(sd_bus_message* reply, void* self, sd_bus_error*) {
  const auto operation = std::static_pointer_cast<TransientOperation>(static_cast<TransientOperation*>(self)->shared_from_this());
  if (!operation->answered()) ((*operation).*handler)(reply);
  return 0;
}

void TransientOperation::begin() {
  if (argv_.empty() || !argv_.front().starts_with('/')) return fail({core::ErrorCode::invalid, what() + ": not an absolute path"});
  if (!written_) return fail(errno_error(errno, what()));
  sd_bus_message* raw = nullptr;
  int rc = ::sd_bus_message_new_method_call(session().bus(), &raw, kSystemdService, kSystemdPath, kSystemdManager, "StartTransientUnit");
  const MessagePtr message{raw};
  if (rc >= 0) rc = compose(message.get());
  sd_bus_slot* slot = nullptr;
  if (rc >= 0) rc = ::sd_bus_call_async(session().bus(), &slot, message.get(), &forward<&TransientOperation::on_job_queued>, this, 0);
  call_.reset(slot);
  if (rc < 0) fail({core::ErrorCode::unavailable, errno_error(-rc, what()).text});
}

int TransientOperation::compose(sd_bus_message* m) const {
  // SIGTERM, then SIGKILL, both before our own deadline, so that we still hear of it and clean up.
  const auto tenth = static_cast<std::uint64_t>(std::chrono::microseconds{limit_}.count()) / 10;
  const std::string description = "clockmend runs " + argv_.front();
  int rc = ::sd_bus_message_append(m, "ss", unit_.c_str(), "fail");
  if (rc >= 0) rc = ::sd_bus_message_open_container(m, 'a', "(sv)");
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "Description", "s", description.c_str());
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "Type", "s", "oneshot");
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "TimeoutStartUSec", "t", tenth * 8);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "TimeoutStopUSec", "t", tenth);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "StandardOutputFileDescriptor", "h", written_.get());
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "StandardErrorFileDescriptor", "h", written_.get());
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "LimitFSIZE", "t", rights_.largest_file);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "TasksMax", "t", rights_.tasks);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "MemoryMax", "t", rights_.memory);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "CapabilityBoundingSet", "t", rights_.capabilities);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "(sv)", "NoNewPrivileges", "b", rights_.new_privileges ? 0 : 1);
  if (rc >= 0 && !rights_.environment.empty()) rc = append_words(m, "Environment", rights_.environment);
  if (rc >= 0 && !rights_.bound_to.empty()) rc = append_words(m, "BindsTo", {rights_.bound_to});
  if (rc >= 0) rc = append_command(m, argv_);
  if (rc >= 0) rc = ::sd_bus_message_close_container(m);
  if (rc >= 0) rc = ::sd_bus_message_append(m, "a(sa(sv))", 0);  // no further units
  return rc;
}

void TransientOperation::on_job_queued(sd_bus_message* reply) {
  if (auto ok = check_reply(reply, what()); !ok) return fail(ok.error());
  const char* job = nullptr;
  if (const int rc = ::sd_bus_message_read(reply, "o", &job); rc < 0) return fail(errno_error(-rc, what()));
  job_ = job;
  if (const auto result = session().removed_job(job_)) job_ended(*result);
}

void TransientOperation::job_removed(const std::string& job, const std::string& result) {
  if (!answered() && !job_.empty() && job == job_) job_ended(result);
}

// A oneshot service's start job is done when its program has ended with 0; systemd forgets the unit then.
void TransientOperation::job_ended(const std::string& result) {
  if (!job_result_.empty()) return;
  job_result_ = result;
  if (result == "done") return answer(core::CommandResult{0, output()});
  if (result != "failed") return fail({core::ErrorCode::cancelled, what() + ": the job ended as \"" + result + "\""});
  ask("ExecMainCode", &forward<&TransientOperation::on_exit_code>);
}

void TransientOperation::ask(const char* property, sd_bus_message_handler_t handler) {
  char* path = nullptr;
  sd_bus_slot* slot = nullptr;
  int rc = ::sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit_.c_str(), &path);
  if (rc >= 0)
    rc = ::sd_bus_call_method_async(session().bus(), &slot, kSystemdService, path, kBusProperties, "Get", handler, this, "ss",
                                    "org.freedesktop.systemd1.Service", property);
  std::free(path);  // of sd_bus_path_encode(3)
  call_.reset(slot);
  if (rc < 0) fail({core::ErrorCode::unavailable, errno_error(-rc, what()).text});
}

/// The number in a reply to ask(); none after a failure, which is answered then.
std::optional<std::int32_t> TransientOperation::number_in(sd_bus_message* reply) {
  std::int32_t number = 0;
  auto ok = check_reply(reply, what());
  const int rc = ok ? ::sd_bus_message_read(reply, "v", "i", &number) : 0;
  if (ok && rc >= 0) return number;
  forget_failure();
  fail(ok ? errno_error(-rc, what()) : ok.error());
  return {};
}

// ExecMainStatus is a signal's number where the program did not end by itself, and looks like an exit status (systemd.exec(5)).
void TransientOperation::on_exit_code(sd_bus_message* reply) {
  const auto code = number_in(reply);
  if (!code) return;
  if (*code == CLD_EXITED) return ask("ExecMainStatus", &forward<&TransientOperation::on_exit_status>);
  forget_failure();
  if (*code == 0) return fail({core::ErrorCode::unavailable, what() + ": systemd could not start it"});
  fail({core::ErrorCode::timeout, what() + ": it did not end by itself, but by a signal (deadline, limit of memory, somebody else)"});
}

void TransientOperation::on_exit_status(sd_bus_message* reply) {
  const auto status = number_in(reply);
  if (!status) return;
  forget_failure();
  if (*status == kExitExec) return fail({core::ErrorCode::not_found, what() + ": it cannot be executed"});
  // One of its children met a limit: the program's own success is none.
  if (*status == 0) return fail({core::ErrorCode::io, what() + ": it ended with 0, but not all of it"});
  answer(core::CommandResult{*status, output()});
}

// A failed unit stays on systemd's list, and in its eyes the whole system is degraded, until somebody looked.
void TransientOperation::forget_failure() {
  const auto ignore_reply = [](sd_bus_message*, void*, sd_bus_error*) { return 0; };
  (void)::sd_bus_call_method_async(session().bus(), nullptr, kSystemdService, kSystemdPath, kSystemdManager, "ResetFailedUnit",
                                   ignore_reply, nullptr, "s", unit_.c_str());
  session().kick();
}

void TransientOperation::drop_calls() { call_.reset(); }

std::string TransientOperation::output() const {
  std::string text(kMostOutput, '\0');
  const ssize_t n = ::pread(written_.get(), text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

}  // namespace clockmend::os
