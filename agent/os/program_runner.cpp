#include "agent/os/program_runner.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "agent/os/descriptor.hpp"
#include "agent/os/errors.hpp"
#include "agent/os/spawn_plan.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMostProgramOutput = 4096;
/// One that writes without end must not keep the loop: the rest waits for the next turn.
constexpr int kReadsPerTurn = 16;

/// glibc 2.36 declares pidfd_open(2) without C linkage.
int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

int spawn_apart(pid_t& pid, int output, const std::string& path, const std::vector<std::string>& argv) {
  sigset_t all;
  ::sigfillset(&all);
  SpawnPlan plan(output, all);
  plan.apart(output);
  std::string search = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  char* const environment[] = {search.data(), nullptr};
  return plan.run(pid, path, argv, environment);
}

/// One program. The waits hold it; it outlives its answer until the child is reaped.
class ProgramRun : public std::enable_shared_from_this<ProgramRun> {
 public:
  ProgramRun(asio::io_context& io, std::weak_ptr<const bool> open, core::CommandRunner::Reply reply)
      : output_(io), ended_(io), deadline_(io), open_(std::move(open)), reply_(std::move(reply)) {}

  core::Status begin(const std::string& path, const std::vector<std::string>& argv, core::milliseconds deadline);

 private:
  void wait_output();
  bool read_output();
  void wait_end();
  void end();
  void answer(core::Result<core::CommandResult> result);

  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor ended_;  // a pidfd
  asio::steady_timer deadline_;
  std::weak_ptr<const bool> open_;
  core::CommandRunner::Reply reply_;
  std::string what_;
  std::string text_;
  pid_t pid_ = -1;
};

core::Status ProgramRun::begin(const std::string& path, const std::vector<std::string>& argv, core::milliseconds deadline) {
  what_ = path;
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, what_);
  UniqueFd reading{ends[0]};
  const UniqueFd writing{ends[1]};
  if (::fcntl(reading.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error(errno, what_);
  if (const int number = spawn_apart(pid_, writing.get(), path, argv); number != 0) return errno_error(number, what_);
  UniqueFd pidfd{open_pidfd(pid_)};
  const core::Status watched = pidfd ? adopt(ended_, std::move(pidfd)) : errno_error(errno, "pidfd_open");
  if (!watched) {  // Linux before 5.3, or no memory: it cannot be awaited, so it must not run
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    return watched;
  }
  if (adopt(output_, std::move(reading))) wait_output();  // else its output is lost
  wait_end();
  deadline_.expires_after(deadline);
  deadline_.async_wait([self = shared_from_this(), deadline](const asio::error_code& ec) {
    if (ec || !self->reply_) return;
    ::kill(-self->pid_, SIGKILL);
    self->answer(core::Error{core::ErrorCode::timeout, self->what_ + " did not end within " + std::to_string(deadline.count()) + " ms"});
  });
  return core::success();
}

void ProgramRun::wait_output() {
  output_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
    if (!ec && self->output_.is_open() && self->read_output()) self->wait_output();
  });
}

/// Whether there may be more later. What is beyond the bound is read and dropped, so that the program is not held up.
bool ProgramRun::read_output() {
  char chunk[4096];
  for (int count = 0; count < kReadsPerTurn; ++count) {
    const ssize_t n = ::read(output_.native_handle(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    text_.append(chunk, std::min(static_cast<std::size_t>(n), kMostProgramOutput - text_.size()));
  }
  return true;
}

void ProgramRun::wait_end() {
  ended_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
    if (!ec) self->end();
  });
}

void ProgramRun::end() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return wait_end();
  if (output_.is_open()) (void)read_output();
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  asio::error_code ignored;
  ended_.close(ignored);
  answer(core::CommandResult{code, text_});
}

void ProgramRun::answer(core::Result<core::CommandResult> result) {
  asio::error_code ignored;
  output_.close(ignored);
  deadline_.cancel();
  const auto reply = std::exchange(reply_, nullptr);
  if (reply && !open_.expired()) reply(std::move(result));
}

}  // namespace

ProgramRunner::ProgramRunner(asio::io_context& io, std::string root)
    : io_(io), root_(std::move(root)), open_(std::make_shared<const bool>(true)) {}

ProgramRunner::~ProgramRunner() = default;

void ProgramRunner::run(const std::vector<std::string>& argv, core::milliseconds deadline, Reply reply) {
  core::Status begun = core::Error{core::ErrorCode::invalid, "no absolute path of a program"};
  if (!argv.empty() && argv.front().starts_with('/'))
    begun = std::make_shared<ProgramRun>(io_, open_, reply)->begin(root_ + argv.front(), argv, deadline);
  if (begun) return;
  asio::post(io_, [reply = std::move(reply), error = begun.error(), open = std::weak_ptr(open_)] {
    if (!open.expired()) reply(error);
  });
}

}  // namespace clockmend::os
