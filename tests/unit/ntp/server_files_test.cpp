#include "probes/ntp/server_files.hpp"

#include <gtest/gtest.h>

#include <random>

namespace clockmend::probes::ntp {
namespace {

std::vector<std::string> hosts(const ServerText& text) {
  std::vector<std::string> out;
  for (const auto& s : text.servers) out.push_back(s.host);
  return out;
}
using Hosts = std::vector<std::string>;

TEST(NtpServerFiles, NtpConf) {
  const auto t = parse_ntp_conf(
      "# comment\n"
      "driftfile /var/lib/ntp/ntp.drift\r\n"
      "server 192.0.2.1 iburst\n"
      "  Server -4 time.corp.example prefer # trailing\n"
      "server -6 2001:db8::5\n"
      "pool 0.debian.pool.ntp.org iburst\n"
      "server 127.127.1.0\n"
      "fudge 127.127.1.0 stratum 10\n"
      "peer 192.0.2.9\n"
      "server 192.0.2.7 noselect\n"
      "server 192.0.2.1\n"
      "#server 192.0.2.8\n"
      "server\n"
      "includefile \"/etc/ntp/more.conf\"\n"
      "restrict default kod nomodify\n");
  EXPECT_EQ(hosts(t), (Hosts{"192.0.2.1", "time.corp.example", "2001:db8::5", "0.debian.pool.ntp.org"}));
  EXPECT_EQ(t.includes, (std::vector<Include>{{Include::What::file, "/etc/ntp/more.conf", ""}}));
  ASSERT_EQ(t.notes.size(), 4U);
  EXPECT_EQ(t.notes[0], "127.127.1.0 is a reference clock of the daemon, not a server");
}

TEST(NtpServerFiles, ChronyConf) {
  const auto t = parse_chrony_conf(
      "! comment\n% comment\n; comment\n# comment\n"
      "server 192.0.2.1 iburst port 11123\n"
      "SERVER time.example nts\n"
      "pool 2.debian.pool.ntp.org iburst maxsources 4\n"
      "server 192.0.2.3 noselect\n"
      "peer 192.0.2.4\n"
      "refclock PHC /dev/ptp0\n"
      "server 192.0.2.5 port 99999\n"
      "include /etc/chrony/local.conf\n"
      "confdir /etc/chrony/conf.d\n"
      "sourcedir /run/chrony-dhcp /etc/chrony/sources.d\n"
      "makestep 1 3\n");
  EXPECT_EQ(t.servers,
            (std::vector<ServerName>{{"192.0.2.1", 11123}, {"time.example", 123}, {"2.debian.pool.ntp.org", 123}, {"192.0.2.5", 123}}));
  EXPECT_EQ(t.includes, (std::vector<Include>{{Include::What::file, "/etc/chrony/local.conf", ""},
                                              {Include::What::directory, "/etc/chrony/conf.d", ".conf"},
                                              {Include::What::directory, "/run/chrony-dhcp", ".sources"},
                                              {Include::What::directory, "/etc/chrony/sources.d", ".sources"}}));
}

TEST(NtpServerFiles, OpenntpdConf) {
  EXPECT_EQ(hosts(parse_openntpd_conf("listen on *\nservers pool.ntp.org\nserver 192.0.2.1 weight 5\nsensor *\nconstraint from \"x\"\n")),
            (Hosts{"pool.ntp.org", "192.0.2.1"}));
}

TEST(NtpServerFiles, TimesyncdConf) {
  TimesyncdText t;
  parse_timesyncd_conf(
      "[Other]\nNTP=wrong.example\n[Time]\n# Some settings\nNTP=a.example b.example\nNTP=c.example\n"
      "#FallbackNTP=0.debian.pool.ntp.org 1.debian.pool.ntp.org\n",
      t);
  EXPECT_EQ(t.ntp, (Hosts{"a.example", "b.example", "c.example"}));
  EXPECT_TRUE(t.fallback.empty());
  EXPECT_EQ(t.compiled_in, (Hosts{"0.debian.pool.ntp.org", "1.debian.pool.ntp.org"}));
  parse_timesyncd_conf("[Time]\nNTP=\nNTP = d.example\nFallbackNTP=e.example\n", t);
  EXPECT_EQ(t.ntp, Hosts{"d.example"});
  EXPECT_EQ(t.fallback, Hosts{"e.example"});
}

TEST(NtpServerFiles, NetworkdStateAndDhclientLeases) {
  EXPECT_EQ(hosts(parse_netif_state("# private\nOPER_STATE=routable\nNTP=192.0.2.1 time.example\nDNS=192.0.2.53\n")),
            (Hosts{"192.0.2.1", "time.example"}));
  EXPECT_EQ(hosts(parse_dhclient_leases("lease {\n  option ntp-servers 10.0.0.1;\n}\nlease {\n  interface \"eth0\";\n"
                                        "  option ntp-servers 10.0.0.2, 10.0.0.3;\n}\n")),
            (Hosts{"10.0.0.2", "10.0.0.3"}));
}

TEST(NtpServerFiles, HostileTextIsBounded) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "server s" + std::to_string(i) + ".example\n";
  const auto t = parse_ntp_conf(many);
  EXPECT_EQ(t.servers.size(), 64U);
  EXPECT_LE(t.notes.size(), 16U);
  EXPECT_TRUE(parse_ntp_conf("server " + std::string(2000, 'a')).servers.empty());
  const auto odd = parse_chrony_conf("server \x1b[31mred\nserver a/../b\nserver ;x\nserver 999.1.1.1\n");
  EXPECT_TRUE(odd.servers.empty());
  for (const auto& note : odd.notes) EXPECT_EQ(note.find('\x1b'), std::string::npos);
}

TEST(NtpServerFiles, ControlCharactersReachNobody) {
  const auto found =
      parse_ntp_conf("server ti\x1b[31mme noselect\nserver fe80::1%e\x1b[31m\nserver ::ffff:192.0.2.1%\x1b\nserver fe80::1%eth0\n");
  ASSERT_EQ(found.servers.size(), 1U);
  EXPECT_EQ(found.servers[0].host, "fe80::1%eth0");
  ASSERT_EQ(found.notes.size(), 3U);
  for (const auto& note : found.notes) EXPECT_EQ(note.find('\x1b'), std::string::npos) << note;
}

TEST(NtpServerFiles, RandomTextNeverBreaksAParser) {
  const unsigned seed = 5;
  std::mt19937 random(seed);
  const std::string alphabet = "server pool #=;[]Time\n\n\t \"*/:.%-\\NTP0123456789\x01\xff";
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (auto n = random() % 300; n > 0; --n) text += alphabet[random() % alphabet.size()];
    for (auto* parse : {parse_ntp_conf, parse_chrony_conf, parse_openntpd_conf, parse_netif_state, parse_dhclient_leases})
      ASSERT_LE(parse(text).servers.size(), 64U) << "seed " << seed;
    TimesyncdText t;
    parse_timesyncd_conf(text, t);
  }
}

}  // namespace
}  // namespace clockmend::probes::ntp
