#include "agent/os/hook_finder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

struct HookFolder : testing::Test {
  fakes::TempDir tree;
  FolderHookFinder finder{tree.path(), ::geteuid()};

  void program(const std::string& name, mode_t mode = 0755) {
    tree.put("/hooks/" + name, "#!/bin/true\n");
    ::chmod((tree.path() + "/hooks/" + name).c_str(), mode);
    ::chmod((tree.path() + "/hooks").c_str(), 0755);
  }
  core::HookFiles found() { return finder.find("/hooks"); }
  static bool noted(const core::HookFiles& files, const std::string& text) {
    return std::ranges::any_of(files.notes, [&](const std::string& n) { return n.find(text) != std::string::npos; });
  }
};

TEST_F(HookFolder, NoFolderNoHooksNoComplaint) {
  EXPECT_TRUE(found().programs.empty());
  EXPECT_TRUE(found().notes.empty());
}

TEST_F(HookFolder, InLexicalOrder) {
  for (const char* name : {"30-c", "10-a", "20-b.sh"}) program(name);
  const std::string at = tree.path() + "/hooks/";
  EXPECT_EQ(found().programs, (std::vector<std::string>{at + "10-a", at + "20-b.sh", at + "30-c"}));
}

TEST_F(HookFolder, OnlyWhatNobodyElseCouldHaveWritten) {
  program("group", 0775);
  program("world", 0757);
  program("plain", 0644);
  program("good");
  ASSERT_EQ(::symlink("good", (tree.path() + "/hooks/link").c_str()), 0);
  ASSERT_EQ(::mkfifo((tree.path() + "/hooks/fifo").c_str(), 0700), 0);
  const core::HookFiles files = found();
  ASSERT_EQ(files.programs.size(), 1U);
  EXPECT_TRUE(files.programs.front().ends_with("/good"));
  EXPECT_TRUE(noted(files, "/hooks/group may be written by others"));
  EXPECT_TRUE(noted(files, "/hooks/world may be written by others"));
  EXPECT_TRUE(noted(files, "/hooks/plain is not executable"));
  EXPECT_TRUE(noted(files, "/hooks/link is a symbolic link"));
  EXPECT_TRUE(noted(files, "/hooks/fifo is not a regular file"));
}

TEST_F(HookFolder, NothingOfAnotherOwner) {
  program("a");
  FolderHookFinder strict{tree.path(), ::geteuid() + 1};
  const core::HookFiles files = strict.find("/hooks");
  EXPECT_TRUE(files.programs.empty());
  EXPECT_TRUE(noted(files, "/hooks is not owned by root"));
}

TEST_F(HookFolder, NothingInAFolderThatOthersMayWriteTo) {
  program("a");
  ::chmod((tree.path() + "/hooks").c_str(), 0777);
  EXPECT_TRUE(found().programs.empty());
  EXPECT_TRUE(noted(found(), "/hooks may be written by others"));
}

TEST_F(HookFolder, AFileOrALinkInItsPlaceIsNoFolder) {
  tree.put("/hooks", "x");
  EXPECT_TRUE(found().programs.empty());
  EXPECT_TRUE(noted(found(), "cannot be read"));
}

TEST_F(HookFolder, LeftoversAreNotRun) {
  for (const char* name : {"a~", ".hidden", "b.dpkg-old", "c.rpmnew", "d.swp", "e.bak"}) program(name);
  EXPECT_TRUE(found().programs.empty());
  EXPECT_TRUE(found().notes.empty());
}

TEST_F(HookFolder, Bounded) {
  for (int i = 0; i < 40; ++i) program("hook" + std::to_string(100 + i));
  EXPECT_EQ(found().programs.size(), 16U);
  EXPECT_LE(found().notes.size(), 8U);
  EXPECT_TRUE(noted(found(), "one too many"));
}

}  // namespace
}  // namespace clockmend::os
