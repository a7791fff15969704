#include "agent/host/domain_feed.hpp"

#include <gtest/gtest.h>

namespace clockmend::host {
namespace {

template <typename T>
void comes_back(const T& value) {
  const std::string line = feed_line(Feed{value});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const core::Result<Feed> back = parse_feed(line);
  ASSERT_TRUE(back) << line;
  ASSERT_TRUE(std::holds_alternative<T>(*back)) << line;
  EXPECT_EQ(std::get<T>(*back), value) << line;
}

TEST(DomainFeed, EveryLineComesBackAsItWas) {
  comes_back(Domain{"u-1", "web", "/run/web.sock", true, true});
  comes_back(Domain{"u-1", "", "", false, false});
  comes_back(Lifecycle{{"u-2", "db", "/run/db.sock", true, false}, 3, 0});
  comes_back(Listed{});
  const core::Result<Feed> error = parse_feed(feed_line(Feed{core::Error{core::ErrorCode::unavailable, "libvirt: no such file"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(std::get<core::Error>(*error).code, core::ErrorCode::unavailable);
  EXPECT_EQ(std::get<core::Error>(*error).text, "libvirt: no such file");
}

TEST(DomainFeed, ANameIsWhateverATenantChose) {
  for (const std::string& name : {std::string{"a b"}, std::string{"%41"}, std::string{"100%"}, std::string{"x\ndomain u 1 1 y z"},
                                  std::string{"\xff\xfe\xc3\xa9"}, std::string{"\0\x1b[2J", 5}, std::string{" "}})
    comes_back(Domain{"u", name, "/run/" + name, true, true});
}

TEST(DomainFeed, NonsenseIsAnErrorAndShort) {
  for (const char* line : {"", " ", "domain", "domain u 1 1 name", "domain u 2 1 n s", "domain  1 1 n s", "event 1 u 1 1 n s",
                           "event x 1 u 1 1 n s", "error 99 text", "error -1 text", "listed now", "domain u 1 1 n s more", "frob"})
    EXPECT_FALSE(parse_feed(line)) << line;
  const core::Result<Feed> longest = parse_feed(std::string(100000, 'x'));
  ASSERT_FALSE(longest);
  EXPECT_LT(longest.error().text.size(), 1000U);
}

}  // namespace
}  // namespace clockmend::host
