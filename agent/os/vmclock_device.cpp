#include "agent/os/vmclock_device.hpp"

#include <endian.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/os/errors.hpp"
#include "agent/os/timespecs.hpp"
#include "agent/os/tsc_counter.hpp"
#include "agent/os/unique_fd.hpp"
#include "agent/os/vmclock_layout.hpp"
#include "agent/os/vmclock_watch.hpp"

namespace clockmend::os {
namespace {

constexpr int kReadTries = 300;
/// The kernel's own limit for the same loop.
constexpr core::nanoseconds kPatience = core::milliseconds{100};
constexpr int kNumbers = 10;

std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

core::Error mid_update() { return {core::ErrorCode::timeout, "vmclock: the hypervisor's update of the page does not end"}; }

}  // namespace

struct VmclockDevice::Page {
  Page(UniqueFd f, std::string n) : fd(std::move(f)), name(std::move(n)) {}
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  ~Page() {
    if (memory != nullptr) ::munmap(memory, page_size());
  }

  void map() {
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) return;
    // Beyond the end of a regular file there is no page to map: reading it would be SIGBUS.
    if (S_ISREG(st.st_mode) && static_cast<std::size_t>(st.st_size) < page_size()) return;
    void* m = ::mmap(nullptr, page_size(), PROT_READ, MAP_SHARED, fd.get(), 0);
    if (m != MAP_FAILED) memory = m;
  }

  /// The hypervisor writes it at any time: volatile, so that every look is one.
  [[nodiscard]] std::uint32_t sequence() const {
    return le32toh(*reinterpret_cast<const volatile std::uint32_t*>(static_cast<const std::byte*>(memory) + kVmclockSeqOffset));
  }
  void copy(VmclockBytes& to) const {
    const auto* words = static_cast<const volatile std::uint64_t*>(memory);
    for (std::size_t i = 0; i < kVmclockSize / sizeof(std::uint64_t); ++i) {
      const std::uint64_t word = words[i];
      std::memcpy(to.data() + i * sizeof word, &word, sizeof word);
    }
  }

  core::Result<core::VmclockPage> read_mapped(bool with_counter) const;
  core::Result<core::VmclockPage> read_by_call(bool with_counter) const;

  UniqueFd fd;
  std::string name;
  void* memory = nullptr;
};

core::Result<core::VmclockPage> VmclockDevice::Page::read_mapped(bool with_counter) const {
  const core::nanoseconds begun = read_clock(CLOCK_MONOTONIC);
  for (int i = 0; i < kReadTries && read_clock(CLOCK_MONOTONIC) - begun < kPatience; ++i) {
    const std::uint32_t before = sequence();
    if ((before & 1U) != 0) continue;
    std::atomic_thread_fence(std::memory_order_acquire);
    VmclockBytes bytes{};
    copy(bytes);
    const CounterAndClocks now = read_counter_and_clocks(with_counter);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (sequence() != before) continue;
    auto page = decode_vmclock(bytes);
    if (!page) return page;
    page->at = now.at;
    if (page->counter_id == kVmclockCounterTsc) page->counter_now = now.ticks;
    return page;
  }
  return mid_update();
}

core::Result<core::VmclockPage> VmclockDevice::Page::read_by_call(bool with_counter) const {
  VmclockBytes bytes{};
  const ssize_t n = ::pread(fd.get(), bytes.data(), bytes.size(), 0);
  if (n < 0) return errno_error(errno, name);
  const CounterAndClocks now = read_counter_and_clocks(with_counter);
  auto page = decode_vmclock(std::span<const std::byte>{bytes}.first(static_cast<std::size_t>(n)));
  if (!page) return page;
  if ((page->seq_count & 1U) != 0) return mid_update();
  page->at = now.at;
  if (page->counter_id == kVmclockCounterTsc) page->counter_now = now.ticks;
  return page;
}

VmclockDevice::VmclockDevice(asio::io_context& io, const std::string& path, const std::string& root)
    : io_(io), path_(root + path), root_(root) {}

VmclockDevice::~VmclockDevice() { reopen(); }

std::string VmclockDevice::node() const {
  constexpr std::string_view kFirst = "vmclock0";
  if (::access(path_.c_str(), F_OK) == 0 || !path_.ends_with(kFirst)) return path_;
  for (int i = 1; i < kNumbers; ++i) {
    std::string other = path_.substr(0, path_.size() - 1) + std::to_string(i);
    if (::access(other.c_str(), F_OK) == 0) return other;
  }
  return path_;
}

bool VmclockDevice::present() const { return ::access(node().c_str(), F_OK) == 0; }
std::string VmclockDevice::describe() const { return page_ ? page_->name : node(); }
bool VmclockDevice::mapped() const { return page_ && page_->memory != nullptr; }

core::Status VmclockDevice::open() {
  if (page_) return core::success();
  std::string name = node();
  UniqueFd fd{::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!fd) return errno_error(errno, name);
  page_ = std::make_unique<Page>(std::move(fd), std::move(name));
  page_->map();
  counter_usable_ = tsc_usable(root_).ok() && tsc_held_stable(root_);
  return core::success();
}

core::Result<core::VmclockPage> VmclockDevice::read() {
  if (auto opened = open(); !opened) return opened.error();
  auto page = page_->memory != nullptr ? page_->read_mapped(counter_usable_) : page_->read_by_call(counter_usable_);
  // Whatever is wrong with it may be gone with the next device of that name.
  if (!page && page.error().code != core::ErrorCode::timeout) reopen();
  return page;
}

void VmclockDevice::reopen() {
  watch_.reset();
  page_.reset();
}

core::Status VmclockDevice::watch(std::function<void()> on_change) {
  if (auto opened = open(); !opened) return opened;
  if (!watch_) {
    watch_ = std::make_unique<VmclockWatch>(io_, page_->fd.get(), [fd = page_->fd.get(), name = describe()] {
      std::uint32_t ignored = 0;  // the sequence number alone will do
      if (::pread(fd, &ignored, sizeof ignored, kVmclockSeqOffset) < 0) return core::Status{errno_error(errno, name)};
      return core::success();
    });
  }
  return watch_->arm(std::move(on_change));
}

}  // namespace clockmend::os
