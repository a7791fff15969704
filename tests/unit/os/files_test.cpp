#include "agent/os/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;

struct Files : testing::Test {
  fakes::TempDir tree;
  PosixFileReader reader{tree.path()};
  PosixFileWriter writer{tree.path()};
};

TEST_F(Files, ReadsWholeFilesUpToTheLimit) {
  tree.put("/etc/ntp.conf", std::string(5000, 'x'));
  const auto whole = reader.read("/etc/ntp.conf", 5000);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->size(), 5000U);
  const auto cut = reader.read("/etc/ntp.conf", 4999);
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code, ErrorCode::invalid);
  EXPECT_EQ(reader.read("/etc/none", 10).error().code, ErrorCode::not_found);
}

TEST_F(Files, ReadsSizelessFilesOfTheKernel) {
  PosixFileReader system;
  const auto text = system.read("/proc/self/status", 65536);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("Pid:"), std::string::npos);
}

TEST_F(Files, NeverWaitsForAFifoNorOpensADevice) {
  ASSERT_EQ(::mkfifo((tree.path() + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(reader.read("/fifo", 10).error().code, ErrorCode::invalid);
  EXPECT_EQ(PosixFileReader{}.read("/dev/zero", 10).error().code, ErrorCode::invalid);
  EXPECT_EQ(reader.read("/", 10).error().code, ErrorCode::invalid);
}

TEST_F(Files, ListsSortedNames) {
  tree.put("/d/b.conf", "");
  tree.put("/d/a.conf", "");
  EXPECT_EQ(reader.list("/d"), (std::vector<std::string>{"a.conf", "b.conf"}));
  EXPECT_TRUE(reader.list("/none").empty());
}

TEST_F(Files, ReplaceLeavesNothingBehind) {
  ASSERT_TRUE(writer.replace("/status.json", "one", true).ok());
  ASSERT_TRUE(writer.replace("/status.json", "two", false).ok());
  EXPECT_EQ(tree.get("/status.json"), "two");
  EXPECT_EQ(reader.list("/"), (std::vector<std::string>{"status.json"}));
}

TEST_F(Files, AReaderKeepsTheOldFileWhole) {
  ASSERT_TRUE(writer.replace("/status.json", "the old one", false).ok());
  const int fd = ::open((tree.path() + "/status.json").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  ASSERT_TRUE(writer.replace("/status.json", "new", false).ok());
  char text[32] = "";
  EXPECT_EQ(::read(fd, text, sizeof text), 11);
  ::close(fd);
  EXPECT_STREQ(text, "the old one");
}

TEST_F(Files, ReplaceNeitherFollowsALinkNorALeftoverTemporary) {
  tree.put("/victim", "precious");
  std::filesystem::create_symlink(tree.path() + "/victim", tree.path() + "/status.json");
  std::filesystem::create_symlink(tree.path() + "/victim", tree.path() + "/.status.json.tmp");
  ASSERT_TRUE(writer.replace("/status.json", "new", false).ok());
  EXPECT_EQ(tree.get("/victim"), "precious");
  EXPECT_FALSE(std::filesystem::is_symlink(tree.path() + "/status.json"));
  EXPECT_EQ(tree.get("/status.json"), "new");
}

TEST_F(Files, AppendRefusesALink) {
  tree.put("/victim", "precious");
  std::filesystem::create_symlink(tree.path() + "/victim", tree.path() + "/history.jsonl");
  const auto status = writer.append("/history.jsonl", "{}", true);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::invalid);
  EXPECT_EQ(tree.get("/victim"), "precious");
}

TEST_F(Files, AppendWritesLinesAndMendsATornOne) {
  ASSERT_TRUE(writer.append("/h", "{\"n\":1}", true).ok());
  ASSERT_TRUE(writer.append("/h", "{\"n\":2}\n", false).ok());
  EXPECT_EQ(tree.get("/h"), "{\"n\":1}\n{\"n\":2}\n");
  tree.put("/h", "{\"n\":1}\n{\"n\":");
  ASSERT_TRUE(writer.append("/h", "{\"n\":3}", false).ok());
  EXPECT_EQ(tree.get("/h"), "{\"n\":1}\n{\"n\":\n{\"n\":3}\n");
}

TEST_F(Files, ErrorsNameTheFile) {
  const auto status = writer.replace("/none/status.json", "x", false);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::not_found);
  EXPECT_NE(status.error().text.find("/none"), std::string::npos);
}

TEST_F(Files, AppendRefusesADevice) {
  const auto status = PosixFileWriter{}.append("/dev/full", "x", false);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::invalid);
}

TEST_F(Files, RemoveIsIdempotent) {
  tree.put("/journal", "x");
  EXPECT_TRUE(writer.remove("/journal").ok());
  EXPECT_TRUE(writer.remove("/journal").ok());
  EXPECT_FALSE(std::filesystem::exists(tree.path() + "/journal"));
}

TEST_F(Files, RequireDirectoryWantsARealOneOfOurOwn) {
  EXPECT_TRUE(require_directory(tree.path() + "/run", 0750).ok());
  EXPECT_TRUE(require_directory(tree.path() + "/run", 0750).ok());
  EXPECT_EQ(require_directory(tree.path() + "/no/parent", 0750).error().code, ErrorCode::not_found);
  tree.put("/file", "");
  EXPECT_EQ(require_directory(tree.path() + "/file", 0750).error().code, ErrorCode::invalid);
  std::filesystem::create_symlink(tree.path() + "/run", tree.path() + "/link");
  EXPECT_EQ(require_directory(tree.path() + "/link", 0750).error().code, ErrorCode::invalid);
  ASSERT_EQ(::chmod((tree.path() + "/run").c_str(), 0777), 0);
  EXPECT_EQ(require_directory(tree.path() + "/run", 0750).error().code, ErrorCode::not_permitted);
}

}  // namespace
}  // namespace clockmend::os
