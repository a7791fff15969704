// What is read about the RTC as text or as fields: /etc/adjtime, since_epoch in sysfs, the broken-down time of the device.
// Input: flags, six fields of 2 bytes, the text.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/os/rtc_mode_file.hpp"
#include "agent/os/rtc_since_epoch.hpp"
#include "agent/os/rtc_time.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace core = clockmend::core;
namespace os = clockmend::os;
using clockmend::fuzz::must;

namespace {

/// A root whose /sys/class/rtc/rtc0/since_epoch is a file in memory.
class SysfsFile {
 public:
  SysfsFile() : fd_(::memfd_create("since_epoch", 0)) {
    char folder[] = "/tmp/clockmend-fuzz-XXXXXX";
    must(::mkdtemp(folder) != nullptr, "a folder can be made");
    root_ = folder;
    std::string path = root_;
    for (const char* part : {"/sys", "/class", "/rtc", "/rtc0"}) {
      path += part;
      must(::mkdir(path.c_str(), 0700) == 0, "a folder can be made", path);
    }
    path += "/since_epoch";
    must(::symlink(("/proc/self/fd/" + std::to_string(fd_)).c_str(), path.c_str()) == 0, "a link can be made", path);
    reader_.open(root_, "rtc0");
    must(reader_.is_open(), "the file can be opened", path);
    ::unlink(path.c_str());
    for (auto end = path.rfind('/'); end > 4; end = path.rfind('/', end - 1)) ::rmdir(path.substr(0, end).c_str());
  }
  core::Result<rtc_time> read(std::string_view text) {
    must(::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, text.data(), text.size(), 0) >= 0, "the file can be written");
    return reader_.read();
  }

 private:
  int fd_;
  std::string root_;
  os::RtcSinceEpoch reader_;
};

void check(const rtc_time& fields, core::RtcMode mode) {
  const auto seconds = os::seconds_from_rtc(fields, mode, core::seconds{1'700'000'000});
  if (!seconds) return must(!seconds.error().text.empty(), "what is no date has a reason");
  must(*seconds >= core::seconds{946'684'800 - 86400 * 2} && *seconds <= core::seconds{4'070'908'800 + 86400 * 2},
       "a date is in 2000..2098");
  const auto back = os::seconds_to_rtc(*seconds, core::RtcMode::utc);
  must(static_cast<bool>(back) || mode == core::RtcMode::local, "a date can be written back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static SysfsFile file;
  clockmend::fuzz::Input in(data, size);
  const auto mode = in.byte() % 2 == 0 ? core::RtcMode::utc : core::RtcMode::local;
  rtc_time fields{};
  for (int* field : {&fields.tm_sec, &fields.tm_min, &fields.tm_hour, &fields.tm_mday, &fields.tm_mon, &fields.tm_year})
    *field = static_cast<std::int16_t>(in.number(2));
  check(fields, mode);
  const auto text = in.text();
  const std::string adjtime(text);
  must(os::rtc_mode_of(adjtime) == core::RtcMode::utc || adjtime.find("\nLOCAL") != std::string::npos, "only LOCAL is local time");
  if (const auto read = file.read(text)) check(*read, mode);
  return 0;
}
