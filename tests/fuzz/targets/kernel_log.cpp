// Records of /dev/kmsg, where processes of the guest write too. Input: records, separated by form feeds.
#include <cerrno>
#include <cstring>

#include "agent/os/kernel_log_record.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace os = clockmend::os;
using clockmend::fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  os::KernelLogPump pump([&in](char* buffer, std::size_t room) -> std::ptrdiff_t {
    if (in.empty()) return -EAGAIN;
    const auto record = in.text_until('\f').substr(0, room);
    if (record.empty()) return -EPIPE;
    std::memcpy(buffer, record.data(), record.size());
    return static_cast<std::ptrdiff_t>(record.size());
  });
  const bool alive = true;
  std::size_t lines = 0;
  (void)pump.pump(
      [&lines](std::string_view line) {
        ++lines;
        must(line.find('\n') == std::string_view::npos, "a record's text is one line", line);
      },
      alive);
  must(lines <= os::KernelLogPump::kRecordsPerPump, "one pump has its budget");
  return 0;
}
