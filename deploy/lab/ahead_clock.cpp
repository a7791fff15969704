// Preloaded into programs of the lab: their CLOCK_REALTIME is ahead of this machine's by the nanoseconds in the file that
// CLOCKMEND_LAB_AHEAD names. Nothing else is: CLOCK_MONOTONIC, timers and waits stay as they are, so that QEMU and
// clockmend-host see what they would see if this machine's clock had been moved.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

const volatile std::int64_t* map_ahead() {
  const char* path = std::getenv("CLOCKMEND_LAB_AHEAD");
  const int file = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) std::abort();  // whoever preloads this wants another time; the true one would be a wrong result
  void* at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (at == MAP_FAILED) std::abort();
  return static_cast<const volatile std::int64_t*>(at);
}

int true_clock(clockid_t clock, timespec* at) {
  using Function = int (*)(clockid_t, timespec*);
  static const auto function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "clock_gettime"));
  return function(clock, at);
}

std::int64_t ahead_realtime() {
  static const volatile std::int64_t* const ahead = map_ahead();
  timespec now{};
  true_clock(CLOCK_REALTIME, &now);
  return now.tv_sec * kSecond + now.tv_nsec + *ahead;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* at) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return true_clock(clock, at);
  const std::int64_t now = ahead_realtime();
  *at = {now / kSecond, now % kSecond};
  return 0;
}

int gettimeofday(timeval* at, void*) noexcept {
  const std::int64_t now = ahead_realtime();
  *at = {now / kSecond, now % kSecond / 1000};
  return 0;
}

time_t time(time_t* at) noexcept {
  const time_t now = ahead_realtime() / kSecond;
  if (at != nullptr) *at = now;
  return now;
}

}  // extern "C"
