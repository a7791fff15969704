// The vmclock page from a file: what is believed of it, by mapping and by reading; and waiting for a notification.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <asio/io_context.hpp>
#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "agent/os/tsc_counter.hpp"
#include "agent/os/unique_fd.hpp"
#include "agent/os/vmclock_device.hpp"
#include "agent/os/vmclock_layout.hpp"
#include "agent/os/vmclock_watch.hpp"
#include "tests/fakes/real_loop.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;

/// Bytes as a hypervisor lays them out; written by offset here, so that the test does not share the layout's mistakes.
class PageBytes {
 public:
  explicit PageBytes(std::size_t length = 4096) : bytes_(length, '\0') {
    put(0x00, std::uint32_t{0x4b4c4356});
    put(0x04, std::uint32_t{4096});
    put(0x08, std::uint16_t{1});
    put(0x0a, std::uint8_t{0xff});
    put(0x0c, std::uint32_t{2});
    put(0x10, std::uint64_t{1});
  }
  template <typename T>
  PageBytes& put(std::size_t offset, T value) {
    for (std::size_t i = 0; i < sizeof(T) && offset + i < bytes_.size(); ++i) {
      bytes_[offset + i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    }
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return bytes_; }

 private:
  std::string bytes_;
};

PageBytes full_page() {
  PageBytes p;
  p.put(0x0a, std::uint8_t{1}).put(0x0b, std::uint8_t{1}).put(0x18, std::uint64_t{0x151}).put(0x22, std::uint8_t{2});
  p.put(0x24, std::int16_t{-37}).put(0x26, std::uint8_t{4}).put(0x27, std::uint8_t{30}).put(0x28, std::uint64_t{0x1122334455667788});
  p.put(0x30, std::uint64_t{0xa1}).put(0x40, std::uint64_t{0xa2}).put(0x48, std::uint64_t{1735689600}).put(0x50, std::uint64_t{0xa3});
  p.put(0x60, std::uint64_t{0xa4}).put(0x68, std::uint64_t{0xa5});
  return p;
}

class VmclockDeviceTest : public testing::Test {
 protected:
  std::string put(const PageBytes& page) {
    dir.put("/vmclock0", page.text());
    return dir.path() + "/vmclock0";
  }
  core::Result<core::VmclockPage> read(const PageBytes& page) {
    VmclockDevice device{io, put(page)};
    return device.read();
  }
  ErrorCode code(const PageBytes& page) {
    const auto r = read(page);
    EXPECT_FALSE(r.ok());
    return r ? ErrorCode::io : r.error().code;
  }

  fakes::TempDir dir;
  asio::io_context io;
};

TEST_F(VmclockDeviceTest, ReadsEveryFieldBothWays) {
  for (const std::size_t length : {std::size_t{4096}, std::size_t{0x70}}) {
    PageBytes p = full_page();
    dir.put("/vmclock0", p.text().substr(0, length));
    VmclockDevice device{io, dir.path() + "/vmclock0"};
    const auto page = device.read();
    ASSERT_TRUE(page.ok()) << page.error().text;
    EXPECT_EQ(device.mapped(), length == 4096) << "a file shorter than a page cannot be mapped";
    EXPECT_EQ(page->seq_count, 2U);
    EXPECT_EQ(page->disruption_marker, 1U);
    EXPECT_EQ(page->flags, 0x151U);
    EXPECT_EQ(page->counter_id, 1);
    EXPECT_EQ(page->time_type, 1);
    EXPECT_EQ(page->clock_status, 2);
    EXPECT_EQ(page->tai_offset_s, -37);
    EXPECT_EQ(page->leap_indicator, 4);
    EXPECT_EQ(page->period_shift, 30);
    EXPECT_EQ(page->counter_value, 0x1122334455667788U);
    EXPECT_EQ(page->counter_period_frac_s, 0xa1U);
    EXPECT_EQ(page->period_maxerror_frac_s, 0xa2U);
    EXPECT_TRUE(page->has_time);
    EXPECT_EQ(page->time_s, 1735689600U);
    EXPECT_EQ(page->time_frac_s, 0xa3U);
    EXPECT_EQ(page->time_maxerror_ns, 0xa4U);
    EXPECT_EQ(page->vm_generation_counter, 0xa5U);
    EXPECT_EQ(page->counter_now.has_value(), tsc_usable().ok() && tsc_held_stable());
    EXPECT_GT(page->at.realtime.time_since_epoch(), core::seconds{1'700'000'000});
  }
}

TEST_F(VmclockDeviceTest, ReadsQemusPage) {
  const auto page = read(PageBytes{});
  ASSERT_TRUE(page.ok()) << page.error().text;
  EXPECT_EQ(page->counter_id, 0xff);
  EXPECT_EQ(page->clock_status, 0);
  EXPECT_FALSE(page->counter_now.has_value()) << "an invalid counter is not read";
  EXPECT_FALSE(page->vm_generation_counter.has_value()) << "its flag is not set";
  EXPECT_FALSE(page->time_maxerror_ns.has_value());
}

TEST_F(VmclockDeviceTest, UsesAFieldOnlyWhereThePageSizeReachesIt) {
  struct Row {
    std::uint32_t size;
    bool status, time, maxerror, generation;
  };
  const Row rows[] = {{0x20, false, false, false, false}, {0x22, false, false, false, false}, {0x23, true, false, false, false},
                      {0x57, true, false, false, false},  {0x58, true, true, false, false},   {0x67, true, true, false, false},
                      {0x68, true, true, true, false},    {0x6f, true, true, true, false},    {0x70, true, true, true, true}};
  for (const Row& row : rows) {
    const auto page = read(full_page().put(0x04, row.size));
    ASSERT_TRUE(page.ok()) << row.size << page.error().text;
    EXPECT_EQ(page->clock_status == 2, row.status) << row.size;
    EXPECT_EQ(page->has_time, row.time) << row.size;
    EXPECT_EQ(page->time_maxerror_ns.has_value(), row.maxerror) << row.size;
    EXPECT_EQ(page->vm_generation_counter.has_value(), row.generation) << row.size;
  }
}

TEST_F(VmclockDeviceTest, ASizeBeyondThePageReachesNoFurtherThanWhatWasRead) {
  for (const std::uint32_t size : {0x10000U, 0xffffffffU}) {
    const auto mapped = read(full_page().put(0x04, size));
    ASSERT_TRUE(mapped.ok());
    EXPECT_EQ(mapped->vm_generation_counter, 0xa5U);
    dir.put("/vmclock0", full_page().put(0x04, size).text().substr(0, 0x30));
    VmclockDevice device{io, dir.path() + "/vmclock0"};
    const auto cut = device.read();
    ASSERT_TRUE(cut.ok());
    EXPECT_FALSE(cut->has_time);
    EXPECT_FALSE(cut->vm_generation_counter.has_value());
  }
}

TEST_F(VmclockDeviceTest, RefusesWhatIsNoVmclock) {
  EXPECT_EQ(code(full_page().put(0x00, std::uint32_t{0x12345678})), ErrorCode::invalid);
  EXPECT_EQ(code(full_page().put(0x04, std::uint32_t{0x10})), ErrorCode::invalid);
  EXPECT_EQ(code(full_page().put(0x04, std::uint32_t{0})), ErrorCode::invalid);
  EXPECT_EQ(code(full_page().put(0x08, std::uint16_t{2})), ErrorCode::invalid);
  EXPECT_EQ(code(PageBytes{0x1f}), ErrorCode::invalid);
  EXPECT_EQ(code(PageBytes{0}), ErrorCode::invalid) << "an empty file is neither mapped (SIGBUS) nor believed";
  VmclockDevice zero{io, "/dev/zero"};
  EXPECT_EQ(zero.read().error().code, ErrorCode::invalid);
}

TEST_F(VmclockDeviceTest, GarbageIsRefusedOrReadButNeverBeyondItsBytes) {
  const unsigned seed = std::random_device{}();
  std::mt19937_64 random{seed};
  for (int i = 0; i < 20'000; ++i) {
    VmclockBytes bytes{};
    for (auto& b : bytes) b = static_cast<std::byte>(random());
    if (i % 2 == 0) {  // half of them with a good head
      const std::string good = full_page().put(0x04, static_cast<std::uint32_t>(random() % 0x100)).text();
      std::memcpy(bytes.data(), good.data(), 0x0c);
    }
    const std::vector<std::byte> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(random() % (bytes.size() + 1)));
    const auto page = decode_vmclock(exact);
    if (!page) continue;
    EXPECT_GE(exact.size(), 0x20U) << "seed " << seed;
    EXPECT_TRUE(!page->has_time || exact.size() >= 0x58U) << "seed " << seed;
    EXPECT_TRUE(!page->vm_generation_counter || exact.size() == 0x70U) << "seed " << seed;
  }
}

TEST_F(VmclockDeviceTest, AnUpdateThatNeverEndsIsGivenUpSoon) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(code(full_page().put(0x0c, std::uint32_t{3})), ErrorCode::timeout);
  dir.put("/short", full_page().put(0x0c, std::uint32_t{3}).text().substr(0, 0x70));
  VmclockDevice device{io, dir.path() + "/short"};
  EXPECT_EQ(device.read().error().code, ErrorCode::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{5});
}

TEST_F(VmclockDeviceTest, NeverShowsHalfAnUpdate) {
  const std::string path = put(full_page());
  VmclockDevice device{io, path};
  ASSERT_TRUE(device.read().ok());
  ASSERT_TRUE(device.mapped());
  std::atomic<bool> stop{false};
  // The hypervisor: marker and counter always equal outside of an update. Through the same file, as shared memory.
  std::jthread hypervisor{[&] {
    const UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    const auto put64 = [&](off_t at, std::uint64_t v) { EXPECT_EQ(::pwrite(fd.get(), &v, 8, at), 8); };
    const auto put32 = [&](off_t at, std::uint32_t v) { EXPECT_EQ(::pwrite(fd.get(), &v, 4, at), 4); };
    for (std::uint32_t i = 1; !stop; ++i) {
      put32(0x0c, 2 * i + 1);
      put64(0x10, i);
      put64(0x28, i);
      put32(0x0c, 2 * i + 2);
    }
  }};
  unsigned good = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto page = device.read();
    if (!page) {
      EXPECT_EQ(page.error().code, ErrorCode::timeout);
      continue;
    }
    if (page->seq_count == 2) continue;  // not begun yet
    ++good;
    ASSERT_EQ(page->disruption_marker, page->counter_value);
  }
  stop = true;
  EXPECT_GT(good, 0U);
}

TEST_F(VmclockDeviceTest, SeesTheDeviceComeGoAndBeRenumbered) {
  VmclockDevice device{io, dir.path() + "/vmclock0"};
  EXPECT_FALSE(device.present());
  EXPECT_EQ(device.read().error().code, ErrorCode::not_found);
  dir.put("/vmclock3", full_page().text());
  EXPECT_TRUE(device.present());
  EXPECT_EQ(device.describe(), dir.path() + "/vmclock3");
  EXPECT_TRUE(device.read().ok());
  put(full_page().put(0x10, std::uint64_t{9}));
  EXPECT_EQ(device.describe(), dir.path() + "/vmclock3") << "that one is open";
  device.reopen();
  ASSERT_TRUE(device.read().ok());
  EXPECT_EQ(device.read()->disruption_marker, 9U) << "the configured one comes first";
}

TEST_F(VmclockDeviceTest, ADescriptorThatIsAlwaysReadyIsNotWatched) {
  VmclockDevice device{io, put(full_page())};  // a regular file is ready all the time
  const auto watched = device.watch([] { ADD_FAILURE(); });
  ASSERT_FALSE(watched.ok());
  EXPECT_EQ(watched.error().code, ErrorCode::unsupported);
  EXPECT_EQ(io.poll(), 0U) << "nothing waits";
}

/// A pipe stands for the device: readable after a change, quiet once it was read.
class VmclockWatchTest : public testing::Test {
 protected:
  VmclockWatchTest() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    read_end.reset(fds[0]);
    write_end.reset(fds[1]);
  }
  core::Status drain() {
    std::array<char, 256> ignored{};
    while (::read(read_end.get(), ignored.data(), ignored.size()) > 0) ++drained;
    return core::success();
  }
  void change() { EXPECT_EQ(::write(write_end.get(), "x", 1), 1); }

  asio::io_context io;
  UniqueFd read_end;
  UniqueFd write_end;
  unsigned drained = 0;
  unsigned calls = 0;
};

TEST_F(VmclockWatchTest, CallsOnceForEachArming) {
  VmclockWatch watch{io, read_end.get(), [this] { return drain(); }};
  change();  // before arming: forgotten, the reader reads afterwards anyway
  ASSERT_TRUE(watch.arm([this] { ++calls; }).ok());
  fakes::run_for(io, std::chrono::milliseconds{30});
  EXPECT_EQ(calls, 0U);
  for (unsigned i = 1; i <= 3; ++i) {
    change();
    ASSERT_TRUE(fakes::run_until(io, [&] { return calls == i; }));
    change();
    io.restart();
    EXPECT_EQ(io.run_for(std::chrono::milliseconds{10}), 0U) << "not armed: the loop is not even woken";
    EXPECT_EQ(calls, i);
    ASSERT_TRUE(watch.arm([this] { ++calls; }).ok());
  }
}

TEST_F(VmclockWatchTest, ArmingAgainReplacesTheCall) {
  VmclockWatch watch{io, read_end.get(), [this] { return drain(); }};
  ASSERT_TRUE(watch.arm([] { ADD_FAILURE() << "replaced"; }).ok());
  ASSERT_TRUE(watch.arm([this] { ++calls; }).ok());
  change();
  ASSERT_TRUE(fakes::run_until(io, [&] { return calls == 1; }));
  fakes::run_for(io, std::chrono::milliseconds{10});
  EXPECT_EQ(calls, 1U);
}

TEST_F(VmclockWatchTest, AHangUpIsRefusedWhenArmingAndEndsAWait) {
  VmclockWatch watch{io, read_end.get(), [this] { return drain(); }};
  ASSERT_TRUE(watch.arm([this] { ++calls; }).ok());
  write_end.reset();
  ASSERT_TRUE(fakes::run_until(io, [&] { return calls == 1; }));
  const auto again = watch.arm([this] { ++calls; });
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::unsupported);
  fakes::run_for(io, std::chrono::milliseconds{30});
  EXPECT_EQ(calls, 1U) << "a descriptor in POLLHUP must not make the loop spin";
}

TEST_F(VmclockWatchTest, ARearmThatDoesNotHelpIsNoNotification) {
  change();
  VmclockWatch watch{io, read_end.get(), [] { return core::success(); }};
  EXPECT_EQ(watch.arm([] {}).error().code, ErrorCode::unsupported);
}

TEST_F(VmclockWatchTest, ItsCallMayDestroyIt) {
  auto watch = std::make_unique<VmclockWatch>(io, read_end.get(), [this] { return drain(); });
  ASSERT_TRUE(watch
                  ->arm([&] {
                    watch.reset();
                    ++calls;
                  })
                  .ok());
  change();
  ASSERT_TRUE(fakes::run_until(io, [&] { return calls == 1; }));
  change();
  fakes::run_for(io, std::chrono::milliseconds{10});
  EXPECT_EQ(calls, 1U);
}

}  // namespace
}  // namespace clockmend::os
