#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "agent/os/errors.hpp"
#include "agent/os/files.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMaxNames = 1000;

core::Error not_regular(const std::string& path) { return {core::ErrorCode::invalid, path + ": not a regular file"}; }

// Looked at before it is opened, because opening a device may already have an effect; and again after, because it may have
// been exchanged in between. O_NONBLOCK keeps such a FIFO from holding us.
core::Result<UniqueFd> open_regular(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error(errno, path);
  if (!S_ISREG(info.st_mode)) return not_regular(path);
  UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!fd) return errno_error(errno, path);
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return not_regular(path);
  return fd;
}

}  // namespace

core::Result<std::string> PosixFileReader::read(const std::string& path, std::size_t limit) {
  const std::string full = root_ + path;
  auto fd = open_regular(full);
  if (!fd) return fd.error();
  std::string content;
  char chunk[4096];
  for (;;) {
    const ssize_t n = ::read(fd->get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, full);
    if (n == 0) return content;
    if (content.size() + static_cast<std::size_t>(n) > limit) {
      return core::Error{core::ErrorCode::invalid, full + ": larger than " + std::to_string(limit) + " bytes"};
    }
    content.append(chunk, static_cast<std::size_t>(n));
  }
}

std::vector<std::string> PosixFileReader::list(const std::string& directory) {
  std::vector<std::string> names;
  DIR* dir = ::opendir((root_ + directory).c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = ::readdir(dir)) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    names.push_back(std::move(name));
    if (names.size() == kMaxNames) break;
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace clockmend::os
