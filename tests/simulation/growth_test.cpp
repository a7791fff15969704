// No memory growth over 1000 corrections.
#include <malloc.h>

#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

// What the world and the test rig record for tests is not the agent's.
void forget(Machine& r) {
  r.world.steps.clear();
  r.world.slews.clear();
  r.world.network.sent.clear();
  r.world.services.log.clear();
  r.world.rtc.writes.clear();
  r.world.files.reads.clear();
  r.guest.answers.clear();
  r.guest.sent.clear();
  r.guest.notes.clear();
  r.guest.reports.clear();
}

std::size_t correct(Machine& r, unsigned times) {
  for (unsigned i = 0; i < times; ++i) {
    r.world.pause(5s + i % 7 * 1s);
    if (i % 2 == 0) r.host_tells(core::NoticeEvent::resumed, true);
    r.world.run(45s);
    forget(r);
  }
  return mallinfo2().uordblks;
}

TEST(Growth, ThousandCorrectionsCostNoMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator does not count for mallinfo2";
#endif
  Machine r{MachineSpec{}};
  r.guest.reports_kept = 0;
  const std::size_t warm = correct(r, 250);  // the history (100 records here) is full by then
  const std::size_t after = correct(r, 750);
  EXPECT_GE(r.guest.engine().counters().corrections, 990U);
  EXPECT_LE(after, warm + std::size_t{256} * 1024) << "bytes in use: " << warm << " after 250, " << after << " after 1000";
  RecordProperty("bytes_after_250", static_cast<int>(warm));
  RecordProperty("bytes_after_1000", static_cast<int>(after));
  EXPECT_LE(r.error(), 5ms);
}

}  // namespace
}  // namespace clockmend::sim
