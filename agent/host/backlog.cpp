#include "agent/host/backlog.hpp"

#include <cstddef>
#include <utility>

namespace clockmend::host {

namespace {

// Num: RefCount Protocol Flags Type St Inode Path
constexpr std::size_t kStateColumn = 5;
constexpr std::size_t kPathColumn = 7;

// Thousands of VMs have some ten sockets each.
constexpr std::size_t kTableLimit = std::size_t{32} * 1024 * 1024;
constexpr core::milliseconds kTableAge{200};

std::string_view next_word(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  const auto end = rest.find(' ', begin);
  const std::string_view word = rest.substr(begin, end == std::string_view::npos ? end : end - begin);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  return word;
}

bool same_socket(std::string_view listed, std::string_view path) {
  if (listed == path) return true;
  if (listed.empty() || listed.front() == '/') return false;
  const auto name = [](std::string_view p) { return p.substr(p.rfind('/') + 1); };
  return name(listed) == name(path);
}

bool is_waiting(std::string_view line, std::string_view path) {
  std::string_view state;
  for (std::size_t column = 0; column < kPathColumn; ++column) {
    const std::string_view word = next_word(line);
    if (column == kStateColumn) state = word;
  }
  const auto begin = line.find_first_not_of(' ');
  return state == "02" && begin != std::string_view::npos && same_socket(line.substr(begin), path);
}

}  // namespace

bool waits_in_backlog(std::string_view table, std::string_view path) {
  while (!table.empty()) {
    const auto end = table.find('\n');
    if (is_waiting(table.substr(0, end), path)) return true;
    if (end == std::string_view::npos) break;
    table.remove_prefix(end + 1);
  }
  return false;
}

bool Backlog::holds(const std::string& path) {
  const core::MonotonicPoint now = clock_.snapshot().monotonic;
  if (table_.empty() || now - read_at_ > kTableAge) {
    auto table = files_.read("/proc/net/unix", kTableLimit);
    table_ = table ? std::move(*table) : "";
    read_at_ = now;
  }
  return waits_in_backlog(table_, path);
}

}  // namespace clockmend::host
