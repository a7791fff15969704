#include "agent/os/group.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

TEST(BelongsTo, ByPrimaryOrSupplementaryGroup) {
  const fakes::TempDir tree;
  tree.put("/etc/group", "root:x:0:\nclockmend-old:x:7:\nbroken\nclockmend:x:123:alice,bob\nlast:x:9:");
  const core::PeerCredentials primary{1000, 123, 42, {}};
  const core::PeerCredentials supplementary{1000, 1000, 42, {27, 123}};
  const core::PeerCredentials neither{1000, 1000, 42, {7, 9}};
  EXPECT_TRUE(belongs_to(primary, "clockmend", tree.path()));
  EXPECT_TRUE(belongs_to(supplementary, "clockmend", tree.path()));
  EXPECT_FALSE(belongs_to(neither, "clockmend", tree.path()));
  EXPECT_TRUE(belongs_to(neither, "last", tree.path())) << "a last line without its end";
}

TEST(BelongsTo, NobodyBelongsToWhatDoesNotExist) {
  const fakes::TempDir tree;
  const core::PeerCredentials peer{1000, 0, 42, {0}};
  EXPECT_FALSE(belongs_to(peer, "clockmend", tree.path())) << "no /etc/group";
  tree.put("/etc/group", "root:x:0:\nclockmend:x:none:\nshort:x\n:x:0:\n");
  EXPECT_FALSE(belongs_to(peer, "clockmend", tree.path()));
  EXPECT_FALSE(belongs_to(peer, "short", tree.path()));
  EXPECT_FALSE(belongs_to(peer, "", tree.path()));
}

}  // namespace
}  // namespace clockmend::os
