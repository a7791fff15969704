// When to write. A device that takes a write of second V at time t shows V+1 at t + f, with f its first_edge_after_write.
// Aligned means that this edge falls on second V+1 of REALTIME: t = V + 1 - f. For rtc-cmos f is 0.5 s (the divider chain
// restarts in the middle of a second, MC146818 data sheet), hence V is written at V + 0.5, which is also what the kernel's
// 11-minute mode does (set_offset_nsec = NSEC_PER_SEC / 2 in drivers/rtc/class.c); with f = 1 s V is written at V.
//
// Not every device obeys: on AMD processors (and under QEMU's TCG, whose "max" processor calls itself AMD) the kernel does not
// reset the divider (apply_amd_register_a_behavior() in drivers/rtc/rtc-mc146818-lib.c), so the write sets the second and
// the edge stays where it was. Written at V + 0.5, such a device is within half a second, which is the best it can do.
#include "correctors/rtc_writer.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "agent/core/rtc_advance.hpp"

namespace clockmend::correctors {
namespace {

using core::nanoseconds;
using core::seconds;

/// The moment must lie so far ahead, or a second later is taken.
constexpr core::milliseconds kLead{2};
/// A timer that comes later than this has missed the moment; what is less only adds to the alignment error. The kernel's own
/// writes are allowed as much (five ticks of HZ=250, rtc_tv_nsec_ok() in kernel/time/ntp.c). Every miss costs a second, so each
/// allows the next one so much more.
constexpr core::milliseconds kLatest{20};
constexpr core::milliseconds kEarliest{1};
constexpr unsigned kMissesAllowed = 2;
/// The read-back looks so long before and after the expected edge.
constexpr core::milliseconds kGuard{20};
/// And once more before that: the time daemon starts just then, and a look that a busy machine delays beyond the edge does not
/// tell where that lies.
constexpr core::milliseconds kEarlyLook{80};
/// No second try once this much has passed: the whole must end within about 3 s.
constexpr core::milliseconds kRetryUntil{1600};

}  // namespace

struct RtcWriter::Job {
  RtcWriter& owner;
  std::function<void(const RtcWriteResult&)> done;
  std::vector<std::function<void(const RtcWriteResult&)>> cancelled;  // told once we are out of write()
  core::TimerHandle timer;
  core::MonotonicPoint begun;
  seconds value{};                        // V
  core::RealtimePoint moment;             // when V is to be written
  core::RawPoint edge;                    // when the device should show V+1; RAW, for REALTIME may be trimmed meanwhile
  std::optional<core::RtcSecond> before;  // the last read-back before the edge, or the first if all came after it
  std::optional<core::OffsetInterval> expected;
  nanoseconds farthest = nanoseconds::max();  // that RTC - RAW may be, unless the machine stood still
  nanoseconds write_took{};
  unsigned misses = 0;
  bool written = false;
  bool retried = false;

  void wait(nanoseconds delay, void (Job::*next)()) {
    timer = owner.scheduler_.after(delay, [this, next] { (this->*next)(); });
  }
  void begin();
  void choose_moment();
  void write_now();
  void limit_advance();
  [[nodiscard]] bool stood_still() const;
  void look_early();
  void look_before();
  [[nodiscard]] bool look();
  void look_after();
  void not_proved(const std::string& why);
  void finish(RtcWriteResult result);
};

RtcWriter::RtcWriter(core::Rtc& rtc, core::ClockReader& clock, core::Scheduler& scheduler)
    : rtc_(rtc), clock_(clock), scheduler_(scheduler) {}
RtcWriter::~RtcWriter() = default;

void RtcWriter::write(std::function<void(const RtcWriteResult&)> done, std::optional<core::OffsetInterval> expected) {
  auto job = std::make_unique<Job>(Job{.owner = *this,
                                       .done = std::move(done),
                                       .cancelled = {},
                                       .timer = {},
                                       .begun = scheduler_.now(),
                                       .moment = {},
                                       .edge = {},
                                       .before = {},
                                       .expected = expected});
  if (job_) {
    job->cancelled = std::move(job_->cancelled);
    job->cancelled.push_back(std::move(job_->done));
  }
  job_ = std::move(job);
  job_->wait(nanoseconds::zero(), &Job::begin);
}

void RtcWriter::Job::begin() {
  const auto others = std::exchange(cancelled, {});
  limit_advance();
  choose_moment();  // before the callbacks: one of them may replace this job
  for (const auto& other : others) other({false, false, "failed: cancelled by a newer write"});
}

void RtcWriter::Job::choose_moment() {
  // A machine without an RTC has nothing to write and nothing wrong with it; one that vanished under the write has.
  if (!owner.rtc_.present()) return finish({!written, written, (written ? "failed: " : "skipped: ") + owner.rtc_.describe()});
  const nanoseconds now = owner.clock_.snapshot().realtime.time_since_epoch();
  const nanoseconds first_edge = owner.rtc_.first_edge_after_write();
  value = std::chrono::ceil<seconds>(now + kLead - seconds{1} + first_edge);
  moment = core::RealtimePoint{value + seconds{1} - first_edge};
  wait(moment.time_since_epoch() - now, &Job::write_now);
}

// A read leaves a second open, so what the RTC moved by is seen from one to two seconds on, where nothing closer is expected; the
// RTC's probe sees smaller pauses, but needs a second for that.
void RtcWriter::Job::limit_advance() {
  if (const auto read = owner.rtc_.read()) farthest = read->utc + seconds{1} - read->before.raw.time_since_epoch();
  if (expected) farthest = std::min(farthest, core::farthest_rtc(*expected, owner.clock_.snapshot()));
}

bool RtcWriter::Job::stood_still() const {
  if (written) return false;
  const auto read = owner.rtc_.read();
  return read && core::rtc_went_ahead(*read, farthest);
}

void RtcWriter::Job::write_now() {
  if (stood_still()) return finish({false, false, core::kRtcWentAhead});
  const core::ClockSnapshot now = owner.clock_.snapshot();
  const nanoseconds late = now.realtime - moment;
  // A step or trim of REALTIME meanwhile, or a busy machine: the moment is another one.
  if (late > kLatest * (1 + misses) || late < -kEarliest) {
    if (++misses > kMissesAllowed) return finish({false, written, "failed: the moment to write was missed again and again"});
    return choose_moment();
  }
  const core::Status status = owner.rtc_.write(value);
  // Whoever has it open, hwclock(8) or a monitor, mostly reads one time and closes it.
  if (!status && status.error().code == core::ErrorCode::busy && ++misses <= kMissesAllowed) return choose_moment();
  if (!status) return finish({false, written, "failed: " + status.error().text});
  written = true;
  const nanoseconds first_edge = owner.rtc_.first_edge_after_write();
  edge = now.raw + first_edge;
  write_took = owner.clock_.snapshot().raw - now.raw;
  before.reset();
  wait(edge - kEarlyLook - owner.clock_.snapshot().raw, &Job::look_early);
  if (owner.on_written_) owner.on_written_();
}

void RtcWriter::Job::look_early() {
  if (look()) wait(edge - kGuard - owner.clock_.snapshot().raw, &Job::look_before);
}

void RtcWriter::Job::look_before() {
  if (look()) wait(edge + kGuard - owner.clock_.snapshot().raw, &Job::look_after);
}

bool RtcWriter::Job::look() {
  const auto read = owner.rtc_.read();
  if (!read) {
    finish({false, written, "failed: written, but the read-back failed: " + read.error().text});
    return false;
  }
  if (!before || read->after.raw < edge) before = *read;
  return true;
}

void RtcWriter::Job::look_after() {
  const auto after = owner.rtc_.read();
  if (!after) return finish({false, written, "failed: written, but the read-back failed: " + after.error().text});
  const seconds next = value + seconds{1};
  if (before->utc == value && after->utc == next) return finish({true, written, "written", true});
  if (before->utc > next || after->utc > next)
    return finish({false, written, "failed: written, but the RTC went ahead since, by another pause or another writer"});
  if (before->utc < value || after->utc < value) return not_proved("it shows another time");
  if (write_took > kLatest) return not_proved("the write took too long");
  const bool late = after->utc == value;
  // The second is right, which is what a write is for; one more write would cost a second to learn where its edge lies.
  if (!late && before->after.raw >= edge) return finish({true, written, "written; the read-back came too late to see its second edge"});
  finish({true, written, std::string("written; the device keeps its own second edge, which comes ") + (late ? "late" : "early")});
}

void RtcWriter::Job::not_proved(const std::string& why) {
  if (retried || owner.scheduler_.now() - begun > kRetryUntil) return finish({false, written, "failed: written, but " + why});
  retried = true;
  choose_moment();
}

void RtcWriter::Job::finish(RtcWriteResult result) {
  const auto tell = std::move(done);
  owner.job_.reset();  // this object ends here; `tell` may write again
  if (tell) tell(result);
}

}  // namespace clockmend::correctors
