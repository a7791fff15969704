#include "probes/ntp/address.hpp"

#include <gtest/gtest.h>

namespace clockmend::probes::ntp {
namespace {

TEST(NtpAddress, SpellingsOfOneAddressAreOne) {
  EXPECT_EQ(canonical_address("192.0.2.1"), canonical_address("::ffff:192.0.2.1"));
  EXPECT_EQ(canonical_address("192.0.2.1"), canonical_address("::FFFF:c000:201"));
  EXPECT_EQ(canonical_address("2001:db8::1"), canonical_address("2001:0DB8:0:0:0:0:0:0001"));
  EXPECT_EQ(canonical_address("::"), canonical_address("0:0:0:0:0:0:0:0"));
  EXPECT_NE(canonical_address("fe80::1%eth0"), canonical_address("fe80::1%eth1"));
  EXPECT_NE(canonical_address("192.0.2.1"), canonical_address("192.0.2.2"));
}

TEST(NtpAddress, NamesAndNonsenseAreNotAddresses) {
  for (const auto* text : {"", "time.example", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4x", ":::", "1::2::3", "12345::", "::g",
                           "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "-1.2.3.4", "1.2.3.0004"})
    EXPECT_FALSE(canonical_address(text)) << text;
}

TEST(NtpAddress, WhatNobodyCanAsk) {
  for (const auto* text : {"0.0.0.0", "::", "224.0.1.1", "255.255.255.255", "ff02::101", "127.127.1.0", "::ffff:127.127.20.0", "name"})
    EXPECT_FALSE(can_be_asked(text)) << text;
  for (const auto* text : {"127.0.0.1", "::1", "10.0.2.2", "fe80::1%eth0", "223.255.255.255"}) EXPECT_TRUE(can_be_asked(text)) << text;
}

TEST(NtpAddress, HostText) {
  for (const auto* text : {"a", "time.corp.example", "0.debian.pool.ntp.org", "ntp_1", "10.0.0.1", "fe80::1%eth0"})
    EXPECT_TRUE(is_host_text(text)) << text;
  EXPECT_FALSE(is_host_text(std::string(254, 'a')));
  for (const auto* text : {"", "-4", ".hidden", "a b", "a;b", "300.1.1.1", "10.0.0", "na\xC3\xAFve", "a/b"})
    EXPECT_FALSE(is_host_text(text)) << text;
}

}  // namespace
}  // namespace clockmend::probes::ntp
