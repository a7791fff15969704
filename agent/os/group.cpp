#include "agent/os/group.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace clockmend::os {
namespace {

constexpr int kMostGroups = 256;

}  // namespace

bool belongs_to(const core::PeerCredentials& peer, const std::string& group) {
  std::array<char, 4096> space{};
  struct group entry {};
  struct group* found = nullptr;
  if (::getgrnam_r(group.c_str(), &entry, space.data(), space.size(), &found) != 0 || found == nullptr) return false;
  const gid_t wanted = entry.gr_gid;
  if (peer.gid == wanted) return true;
  std::array<char, 4096> user_space{};
  struct passwd user {};
  struct passwd* owner = nullptr;
  if (::getpwuid_r(peer.uid, &user, user_space.data(), user_space.size(), &owner) != 0 || owner == nullptr) return false;
  std::vector<gid_t> groups(kMostGroups);
  int count = kMostGroups;
  if (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) return false;
  return std::find(groups.begin(), groups.begin() + count, wanted) != groups.begin() + count;
}

}  // namespace clockmend::os
