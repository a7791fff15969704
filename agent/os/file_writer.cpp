#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "agent/os/errors.hpp"
#include "agent/os/files.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {
namespace {

constexpr mode_t kFileMode = 0644;

struct Place {
  std::string directory;
  std::string name;
};

Place split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

core::Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return core::success();
}

// The name is fixed, so that a crash leaves at most one of them; a leftover is removed, never followed or reused.
core::Status write_temporary(int dir, const std::string& name, const std::string& content, bool durable, const std::string& path) {
  ::unlinkat(dir, name.c_str(), 0);
  UniqueFd fd{::openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode)};
  if (!fd) return errno_error(errno, path);
  // The unit's umask is 0027; the status is for every reader.
  if (::fchmod(fd.get(), kFileMode) != 0) return errno_error(errno, path);
  if (auto written = write_all(fd.get(), content, path); !written) return written;
  if (durable && ::fsync(fd.get()) != 0) return errno_error(errno, path);
  return core::success();
}

// After a crash or a full disk the last line may be torn; the next one must not be glued to it.
bool ends_in_half_a_line(int fd, off_t size) {
  char last = '\n';
  return size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

core::Status PosixFileWriter::replace(const std::string& path, const std::string& content, bool durable) {
  const std::string full = root_ + path;
  const Place place = split(full);
  const std::string temporary = "." + place.name + ".tmp";
  UniqueFd dir{::open(place.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!dir) return errno_error(errno, place.directory);
  if (auto written = write_temporary(dir.get(), temporary, content, durable, full); !written) {
    ::unlinkat(dir.get(), temporary.c_str(), 0);
    return written;
  }
  if (::renameat(dir.get(), temporary.c_str(), dir.get(), place.name.c_str()) != 0) {
    const int number = errno;
    ::unlinkat(dir.get(), temporary.c_str(), 0);
    return errno_error(number, full);
  }
  // Without it the rename itself may be lost in a crash (fsync(2)).
  if (durable && ::fsync(dir.get()) != 0) return errno_error(errno, place.directory);
  return core::success();
}

core::Status PosixFileWriter::append(const std::string& path, const std::string& line, bool durable) {
  const std::string full = root_ + path;
  UniqueFd fd{::open(full.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kFileMode)};
  if (!fd) return errno_error(errno, full);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error(errno, full);
  if (!S_ISREG(info.st_mode)) return core::Error{core::ErrorCode::invalid, full + ": not a regular file"};
  if (info.st_size == 0 && ::fchmod(fd.get(), kFileMode) != 0) return errno_error(errno, full);
  std::string text = ends_in_half_a_line(fd.get(), info.st_size) ? "\n" : "";
  text += line;
  if (text.empty() || text.back() != '\n') text += '\n';
  if (auto written = write_all(fd.get(), text, full); !written) return written;
  if (durable && ::fsync(fd.get()) != 0) return errno_error(errno, full);
  return core::success();
}

core::Status PosixFileWriter::remove(const std::string& path) {
  const std::string full = root_ + path;
  if (::unlink(full.c_str()) != 0 && errno != ENOENT) return errno_error(errno, full);
  return core::success();
}

core::Status require_directory(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return errno_error(errno, path);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno_error(errno, path);
  if (!S_ISDIR(info.st_mode)) return core::Error{core::ErrorCode::invalid, path + ": not a directory"};
  if (info.st_uid != ::geteuid()) {
    return core::Error{core::ErrorCode::not_permitted, path + ": belongs to another user (uid " + std::to_string(info.st_uid) + ")"};
  }
  if ((info.st_mode & S_IWOTH) != 0) return core::Error{core::ErrorCode::not_permitted, path + ": others may write to it"};
  return core::success();
}

}  // namespace clockmend::os
