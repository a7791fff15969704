#include "probes/ntp/discovery.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/fake_files.hpp"

namespace clockmend::probes::ntp {
namespace {

std::vector<std::string> hosts(const Discovery& d) {
  std::vector<std::string> out;
  for (const auto& s : d.servers) out.push_back(s.host);
  return out;
}
using Hosts = std::vector<std::string>;

TEST(NtpDiscovery, UnitNames) {
  EXPECT_EQ(daemon_kind("ntpsec.service"), DaemonKind::ntpsec);
  EXPECT_EQ(daemon_kind("ntpd.service"), DaemonKind::ntpd);
  EXPECT_EQ(daemon_kind("ntp"), DaemonKind::ntpd);
  EXPECT_EQ(daemon_kind("chrony.service"), DaemonKind::chrony);
  EXPECT_EQ(daemon_kind("chronyd.service"), DaemonKind::chrony);
  EXPECT_EQ(daemon_kind("systemd-timesyncd.service"), DaemonKind::timesyncd);
  EXPECT_EQ(daemon_kind("openntpd.service"), DaemonKind::openntpd);
  EXPECT_EQ(daemon_kind("sshd.service"), DaemonKind::unknown);
  EXPECT_EQ(daemon_kind(""), DaemonKind::unknown);
}

TEST(NtpDiscovery, TheActiveDaemonsFileWins) {
  fakes::FakeFiles files;
  files.files["/etc/ntpsec/ntp.conf"] = "server ntpsec.example\n";
  files.files["/etc/chrony/chrony.conf"] = "server chrony.example\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::chrony)), Hosts{"chrony.example"});
  EXPECT_EQ(hosts(discover(files, DaemonKind::ntpsec)), Hosts{"ntpsec.example"});
  EXPECT_EQ(hosts(discover(files, DaemonKind::unknown)), Hosts{"ntpsec.example"});
  const auto other = discover(files, DaemonKind::timesyncd);  // has no servers of its own: the next that has
  EXPECT_EQ(hosts(other), Hosts{"ntpsec.example"});
  EXPECT_EQ(other.source, "/etc/ntpsec/ntp.conf");
}

TEST(NtpDiscovery, NtpsecPrefersItsDhcpFile) {
  fakes::FakeFiles files;
  files.files["/etc/ntpsec/ntp.conf"] = "server static.example\n";
  files.files["/run/ntpsec/ntp.conf.dhcp"] = "server dhcp.example\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::ntpsec)), Hosts{"dhcp.example"});
}

TEST(NtpDiscovery, DebiansChronyLayout) {
  fakes::FakeFiles files;
  files.files["/etc/chrony/chrony.conf"] =
      "confdir /etc/chrony/conf.d\npool 2.debian.pool.ntp.org iburst\nsourcedir /run/chrony-dhcp\nsourcedir /etc/chrony/sources.d\n";
  files.files["/etc/chrony/conf.d/local.conf"] = "server local.example\n";
  files.files["/etc/chrony/conf.d/readme.txt"] = "server no.example\n";
  files.files["/run/chrony-dhcp/eth0.sources"] = "server 192.0.2.77 iburst\n";
  files.files["/etc/chrony/sources.d/site.sources"] = "server site.example\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::chrony)), (Hosts{"2.debian.pool.ntp.org", "local.example", "192.0.2.77", "site.example"}));
}

TEST(NtpDiscovery, IncludesFollowPatternsAndRelativePaths) {
  fakes::FakeFiles files;
  files.files["/etc/ntp.conf"] = "includefile ntp/servers.conf\n";
  files.files["/etc/ntp/servers.conf"] = "server included.example\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::ntpd)), Hosts{"included.example"});
  files.files["/etc/chrony.conf"] = "include /etc/chrony.d/*.conf\n";
  files.files["/etc/chrony.d/a.conf"] = "server a.example\n";
  files.files["/etc/chrony.d/b.conf"] = "server b.example\n";
  files.files["/etc/chrony.d/b.bak"] = "server bak.example\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::chrony)), (Hosts{"a.example", "b.example"}));
}

TEST(NtpDiscovery, IncludeLoopsAndDepthAreBounded) {
  fakes::FakeFiles files;
  files.files["/etc/ntp.conf"] = "includefile /etc/ntp.conf\nincludefile /etc/0.conf\n";
  for (int i = 0; i < 100; ++i)
    files.files["/etc/" + std::to_string(i) + ".conf"] =
        "server s" + std::to_string(i) + ".example\nincludefile /etc/" + std::to_string(i + 1) + ".conf\n";
  const auto d = discover(files, DaemonKind::ntpd);
  EXPECT_GE(d.servers.size(), 1U);
  EXPECT_LE(d.servers.size(), 5U);
  EXPECT_EQ(std::count(files.reads.begin(), files.reads.end(), "/etc/ntp.conf"), 1);
}

TEST(NtpDiscovery, ManyFilesAreBounded) {
  fakes::FakeFiles files;
  files.files["/etc/chrony.conf"] = "confdir /etc/c.d\n";
  for (int i = 0; i < 500; ++i) files.files["/etc/c.d/" + std::to_string(i) + ".conf"] = "server s" + std::to_string(i) + ".example\n";
  EXPECT_LE(discover(files, DaemonKind::chrony).servers.size(), 32U);
}

TEST(NtpDiscovery, MissingFilesAndFoldersAreBounded) {
  std::string files_missing;
  std::string folders_missing;
  for (int i = 0; i < 1500; ++i) {
    const auto n = std::to_string(i);
    files_missing += "include /n/" + n + ".conf\n";
    folders_missing += (i % 2 == 0 ? "confdir /d/" : "include /p/") + n + (i % 2 == 0 ? "\n" : "/*.conf\n");
  }
  for (const auto& includes : {files_missing, folders_missing, folders_missing + "server late.example\n"}) {
    fakes::FakeFiles files;
    files.files["/etc/chrony.conf"] = includes;
    const auto d = discover(files, DaemonKind::chrony);
    const auto in = [](const std::vector<std::string>& all) {
      return std::count_if(all.begin(), all.end(), [](const auto& path) { return path[2] == '/'; });
    };
    EXPECT_LE(in(files.reads) + in(files.lists), 64) << includes.substr(0, 20);
    EXPECT_GE(in(files.reads) + in(files.lists), 32) << includes.substr(0, 20);
    EXPECT_LE(d.looked.size(), 128U);
    ASSERT_EQ(d.notes.size(), 1U);
    EXPECT_NE(d.notes[0].find("more than 64 files"), std::string::npos) << d.notes[0];
  }
}

TEST(NtpDiscovery, ALongListOfMissingFilesHidesNoOtherDaemon) {
  fakes::FakeFiles files;
  for (int i = 0; i < 1500; ++i) files.files["/etc/ntp.conf"] += "includefile /n/" + std::to_string(i) + "\n";
  files.files["/etc/chrony.conf"] = "server good.example\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::unknown)), Hosts{"good.example"});
}

TEST(NtpDiscovery, TimesyncdDropInsAndPrecedence) {
  fakes::FakeFiles files;
  files.files["/etc/systemd/timesyncd.conf"] = "[Time]\n#NTP=\n#FallbackNTP=0.debian.pool.ntp.org\n";
  files.files["/usr/lib/systemd/timesyncd.conf.d/10-vendor.conf"] = "[Time]\nNTP=vendor.example\n";
  files.files["/etc/systemd/timesyncd.conf.d/10-vendor.conf"] = "[Time]\nNTP=site.example\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::timesyncd)), Hosts{"site.example"});
}

TEST(NtpDiscovery, TimesyncdAsksTheLinksServersFirst) {
  fakes::FakeFiles files;
  files.files["/etc/systemd/timesyncd.conf"] = "[Time]\nNTP=static.example\n";
  files.files["/run/systemd/netif/links/2"] = "NTP=192.0.2.42\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::timesyncd)), (Hosts{"192.0.2.42", "static.example"}));
}

TEST(NtpDiscovery, CompiledInServersOnlyWhereTimesyncdRuns) {
  fakes::FakeFiles files;
  files.files["/etc/systemd/timesyncd.conf"] = "[Time]\n#NTP=\n#FallbackNTP=0.debian.pool.ntp.org 1.debian.pool.ntp.org\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::timesyncd)), (Hosts{"0.debian.pool.ntp.org", "1.debian.pool.ntp.org"}));
  EXPECT_TRUE(discover(files, DaemonKind::unknown).servers.empty());
}

TEST(NtpDiscovery, LeasesAreTheLastResort) {
  fakes::FakeFiles files;
  files.files["/var/lib/dhcp/dhclient.eth0.leases"] = "lease {\n  option ntp-servers 10.0.0.2;\n}\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::unknown)), Hosts{"10.0.0.2"});
  files.files["/etc/ntp.conf"] = "server 192.0.2.1\n";
  EXPECT_EQ(hosts(discover(files, DaemonKind::unknown)), Hosts{"192.0.2.1"});
}

TEST(NtpDiscovery, NothingFoundTellsWhereItLooked) {
  fakes::FakeFiles files;
  files.files["/etc/ntp.conf"] = "server 127.127.20.0\n";
  files.errors["/etc/chrony/chrony.conf"] = {core::ErrorCode::not_permitted, "/etc/chrony/chrony.conf: permission denied"};
  const auto d = discover(files, DaemonKind::unknown);
  EXPECT_TRUE(d.servers.empty());
  for (const auto* path : {"/etc/ntp.conf", "/etc/ntpsec/ntp.conf", "/etc/chrony/chrony.conf", "/etc/systemd/timesyncd.conf"})
    EXPECT_NE(std::find(d.looked.begin(), d.looked.end(), path), d.looked.end()) << path;
  ASSERT_EQ(d.notes.size(), 2U);
  EXPECT_EQ(d.notes[0], "/etc/ntp.conf: 127.127.20.0 is a reference clock of the daemon, not a server");
  EXPECT_EQ(d.notes[1], "/etc/chrony/chrony.conf: permission denied");
}

}  // namespace
}  // namespace clockmend::probes::ntp
