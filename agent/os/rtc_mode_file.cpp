#include "agent/os/rtc_mode_file.hpp"

#include "agent/os/files.hpp"

namespace clockmend::os {
namespace {
constexpr const char* kPath = "/etc/adjtime";
constexpr std::size_t kLargestModeFile = 4096;
}  // namespace

core::RtcMode rtc_mode_of(const std::string& text) {
  std::size_t begin = 0;
  for (int line = 1; line < 3; ++line) {
    const auto end = text.find('\n', begin);
    if (end == std::string::npos) return core::RtcMode::utc;
    begin = end + 1;
  }
  std::string third = text.substr(begin, text.find('\n', begin) - begin);
  while (!third.empty() && (third.back() == ' ' || third.back() == '\r' || third.back() == '\t')) third.pop_back();
  return third == "LOCAL" ? core::RtcMode::local : core::RtcMode::utc;
}

core::RtcMode RtcModeFile::mode() const {
  struct stat info {};
  if (::stat((root_ + kPath).c_str(), &info) != 0) {
    inode_ = 0;
    mode_ = core::RtcMode::utc;
    return mode_;
  }
  const bool same = inode_ == info.st_ino && seen_.tv_sec == info.st_mtim.tv_sec && seen_.tv_nsec == info.st_mtim.tv_nsec;
  if (same) return mode_;
  const auto text = PosixFileReader{root_}.read(kPath, kLargestModeFile);
  mode_ = text ? rtc_mode_of(*text) : core::RtcMode::utc;
  inode_ = info.st_ino;
  seen_ = info.st_mtim;
  return mode_;
}

}  // namespace clockmend::os
