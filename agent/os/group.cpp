#include "agent/os/group.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "agent/os/files.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kLargestGroupFile = std::size_t{1024} * 1024;

// "name:password:gid:members" (group(5)).
std::optional<std::uint32_t> gid_in_line(std::string_view line, std::string_view group) {
  if (!line.starts_with(group) || line.size() <= group.size() || line[group.size()] != ':') return std::nullopt;
  line.remove_prefix(group.size() + 1);
  const auto password_end = line.find(':');
  if (password_end == std::string_view::npos) return std::nullopt;
  line.remove_prefix(password_end + 1);
  const std::string_view digits = line.substr(0, line.find(':'));
  std::uint32_t gid = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), gid);
  if (ec != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return gid;
}

std::optional<std::uint32_t> gid_of(const std::string& group, const std::string& root) {
  const auto text = PosixFileReader{root}.read("/etc/group", kLargestGroupFile);
  if (!text || group.empty()) return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    if (const auto gid = gid_in_line(rest.substr(0, end), group)) return gid;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace

bool belongs_to(const core::PeerCredentials& peer, const std::string& group, const std::string& root) {
  const auto wanted = gid_of(group, root);
  if (!wanted) return false;
  return peer.gid == *wanted || std::find(peer.groups.begin(), peer.groups.end(), *wanted) != peer.groups.end();
}

}  // namespace clockmend::os
