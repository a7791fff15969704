#include "agent/os/hook_finder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "agent/core/printable.hpp"
#include "agent/os/errors.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMostEntries = 1000;
constexpr std::size_t kMostPrograms = 16;
constexpr std::size_t kMostNotes = 8;

/// What editors and package managers leave beside a program; running both would be wrong (run-parts(8) has the same list).
constexpr std::array<std::string_view, 12> kLeftovers{"~",         ".bak",      ".orig",    ".swp",     ".dpkg-old", ".dpkg-dist",
                                                      ".dpkg-new", ".dpkg-tmp", ".rpmsave", ".rpmorig", ".rpmnew",   ".ucf-old"};

bool left_over(std::string_view name) {
  return name.starts_with('.') || std::ranges::any_of(kLeftovers, [name](std::string_view end) { return name.ends_with(end); });
}

/// Why it must not be run; nullptr if it may.
const char* objection(const struct stat& info, uid_t owner) {
  if (info.st_uid != owner) return "is not owned by root";
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "may be written by others than root";
  return nullptr;
}

const char* objection_to_program(const struct stat& info, uid_t owner) {
  if (S_ISLNK(info.st_mode)) return "is a symbolic link";
  if (!S_ISREG(info.st_mode)) return "is not a regular file";
  if (const char* why = objection(info, owner)) return why;
  if ((info.st_mode & S_IXUSR) == 0) return "is not executable";
  return nullptr;
}

class Names {
 public:
  explicit Names(UniqueFd fd) : dir_(::fdopendir(fd.get())) {
    if (dir_ != nullptr) (void)fd.release();
  }
  ~Names() {
    if (dir_ != nullptr) ::closedir(dir_);
  }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  [[nodiscard]] std::vector<std::string> sorted() {
    std::vector<std::string> names;
    if (dir_ == nullptr) return names;
    while (const dirent* entry = ::readdir(dir_)) {
      if (!left_over(entry->d_name)) names.emplace_back(entry->d_name);
      if (names.size() == kMostEntries) break;
    }
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] int fd() const { return ::dirfd(dir_); }

 private:
  DIR* dir_;
};

}  // namespace

core::HookFiles FolderHookFinder::find(const std::string& directory) {
  core::HookFiles found;
  const auto note = [&](const std::string& what, const std::string& why) {
    if (found.notes.size() < kMostNotes) found.notes.push_back(core::printable_ascii(what) + " " + why + ": not run");
  };
  UniqueFd fd{::open((root_ + directory).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd) {
    if (errno != ENOENT) note(directory, "cannot be read (" + errno_error(errno, "open").text + ")");
    return found;
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return found;
  if (const char* why = objection(info, owner_)) {
    note(directory, why);
    return found;
  }
  Names names{std::move(fd)};
  for (const std::string& name : names.sorted()) {
    if (::fstatat(names.fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // it has just gone
    if (const char* why = objection_to_program(info, owner_))
      note(directory + "/" + name, why);
    else if (found.programs.size() == kMostPrograms)
      note(directory + "/" + name, "is one too many");
    else
      found.programs.push_back(root_ + directory + "/" + name);
  }
  return found;
}

}  // namespace clockmend::os
