#include "agent/os/kernel_log.hpp"

#include <fcntl.h>

#include <asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "agent/os/descriptor.hpp"
#include "agent/os/kernel_log_record.hpp"

namespace clockmend::os {
namespace {

/// No two wake-ups closer than this.
constexpr std::chrono::milliseconds kBreath{100};

}  // namespace

struct KmsgLog::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, std::string p)
      : path(std::move(p)), descriptor(io), breath(io), pump([this](char* buffer, std::size_t size) { return read_one(buffer, size); }) {}

  std::ptrdiff_t read_one(char* buffer, std::size_t size) {
    const ssize_t n = ::read(descriptor.native_handle(), buffer, size);
    return n < 0 ? -errno : n;
  }

  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
      if (self->open && !ec) self->ready();
    });
  }

  void ready() {
    const auto now = asio::steady_timer::clock_type::now();
    const auto earliest = last + kBreath;
    if (now < earliest) return rest(earliest);
    last = now;
    // Kept here: on_line may destroy the log, and with it the functions.
    const auto self = shared_from_this();
    const auto outcome = pump.pump(on_line, open);
    if (!open) return;
    if (outcome != KernelLogPump::End::failed) return wait();
    end(pump.error() == 0 ? core::Error{core::ErrorCode::unavailable, path + ": ended"} : errno_error(pump.error(), path));
  }

  void rest(asio::steady_timer::clock_type::time_point until) {
    // Out of the loop's epoll set: there, each new line would wake it although nobody waits for it.
    resting.reset(descriptor.release());
    breath.expires_at(until);
    breath.async_wait([self = shared_from_this()](const asio::error_code&) {
      if (!self->open) return;
      if (auto adopted = adopt(self->descriptor, std::move(self->resting)); !adopted) return self->end(adopted.error());
      self->ready();
    });
  }

  void end(const core::Error& why) {
    open = false;
    on_end(why);
  }

  std::string path;
  asio::posix::stream_descriptor descriptor;
  UniqueFd resting;
  asio::steady_timer breath;
  asio::steady_timer::clock_type::time_point last{};
  KernelLogPump pump;
  OnLine on_line;
  OnEnd on_end;
  bool open = false;
};

KmsgLog::KmsgLog(asio::io_context& io, std::string path) : state_(std::make_shared<State>(io, std::move(path))) {}

KmsgLog::~KmsgLog() {
  state_->open = false;
  asio::error_code ignored;
  state_->descriptor.close(ignored);
  state_->breath.cancel();
}

core::Status KmsgLog::start(OnLine on_line, OnEnd on_end) {
  // The kernel checks CAP_SYSLOG here where dmesg_restrict is set, not with each read.
  UniqueFd fd{::open(state_->path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
  if (!fd) return errno_error(errno, state_->path);
  // Only new lines: what is there already was written before this program began to know anything.
  if (::lseek(fd.get(), 0, SEEK_END) < 0 && errno != ESPIPE) return errno_error(errno, state_->path);
  if (auto adopted = adopt(state_->descriptor, std::move(fd)); !adopted) return adopted;
  state_->on_line = std::move(on_line);
  state_->on_end = std::move(on_end);
  state_->open = true;
  state_->wait();
  return core::success();
}

std::uint64_t KmsgLog::overruns() const { return state_->pump.overruns(); }

}  // namespace clockmend::os
