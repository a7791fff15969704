#include "agent/host/libvirt/domain_xml.hpp"

#include <gtest/gtest.h>

#include <random>

namespace clockmend::host {
namespace {

constexpr const char* kPort = R"(<channel type='unix'><source mode='bind' path='/run/a.sock'/>
    <target type='virtio' name='org.clockmend.agent.0' state='connected'/><alias name='channel0'/></channel>)";

std::string domain(const std::string& devices, const std::string& more = "") {
  return "<domain type='kvm' id='3'><name>web</name>" + more + "<devices>" + devices + "</devices></domain>";
}

std::string socket_in(const std::string& xml) {
  const auto socket = channel_socket(xml);
  return socket ? *socket : "error: " + socket.error().text;
}

TEST(DomainXml, FindsThePortAmongOthers) {
  EXPECT_EQ(socket_in(domain(std::string{"<disk/><channel type='unix'><source mode='bind' path='/run/qga.sock'/>"
                                         "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"} +
                             kPort)),
            "/run/a.sock");
  EXPECT_EQ(socket_in("<?xml version='1.0' encoding='UTF-8'?><!-- a comment -->" + domain(kPort)), "/run/a.sock");
  EXPECT_EQ(socket_in(domain(R"(<channel type="unix"><source mode="bind" path="/run/a&amp;b &#x27;c&#39;.sock"/>
      <target type="virtio" name="org.clockmend.agent.0"/></channel>)")),
            "/run/a&b 'c'.sock");
}

TEST(DomainXml, NoPortIsNoError) {
  EXPECT_EQ(socket_in(domain("")), "");
  EXPECT_EQ(socket_in("<domain/>"), "");
  EXPECT_EQ(socket_in(domain("<channel type='unix'><target type='virtio' name='org.clockmend.agent.0'/></channel>")), "")
      << "not running: libvirt has not chosen a path yet";
  EXPECT_EQ(socket_in(domain("<channel type='unix'><source path='/x'/><target type='virtio' name='org.clockmend.agent.01'/></channel>")),
            "");
  EXPECT_EQ(socket_in(domain("<channel type='unix'><source path='/x'/><target type='guestfwd' name='org.clockmend.agent.0'/></channel>")),
            "");
  EXPECT_EQ(socket_in(domain("<channel type='unix'/>")), "");
}

TEST(DomainXml, WhatATenantWritesElsewhereIsNotAPort) {
  EXPECT_EQ(socket_in(domain("", std::string{"<metadata><m:x xmlns:m='urn:x'><devices>"} + kPort + "</devices></m:x></metadata>")), "");
  EXPECT_EQ(socket_in(domain("", std::string{"<description>"} + "&lt;channel type='unix'/&gt;</description>")), "");
  EXPECT_EQ(socket_in(domain(std::string{"<q:channel xmlns:q='urn:q' type='unix'><source path='/evil'/>"
                                         "<target type='virtio' name='org.clockmend.agent.0'/></q:channel>"})),
            "");
}

TEST(DomainXml, APortOfAnotherKindIsAnErrorThatSaysSo) {
  EXPECT_NE(
      socket_in(domain("<channel type='pty'><source path='/dev/pts/3'/><target type='virtio' name='org.clockmend.agent.0'/></channel>"))
          .find("of type pty"),
      std::string::npos);
  EXPECT_NE(socket_in(domain("<channel type='unix'><source mode='connect' path='/x'/>"
                             "<target type='virtio' name='org.clockmend.agent.0'/></channel>"))
                .find("connects"),
            std::string::npos);
}

TEST(DomainXml, BadXmlIsAnErrorAndBounded) {
  for (const char* xml : {"", "<", "<domain", "<domain>", "text", "<network/>", "<domain></domainx>", "\xff\xfe"})
    EXPECT_FALSE(channel_socket(xml)) << xml;
  EXPECT_FALSE(channel_socket(std::string(kMaxDomainXml + 1, ' ')));
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  EXPECT_FALSE(channel_socket("<domain>" + deep));
  const std::string laughs =
      "<!DOCTYPE domain [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>"
      "<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain><name>&c;&x;</name></domain>";
  EXPECT_EQ(socket_in(laughs).substr(0, 5), socket_in(laughs).empty() ? "" : "error");
}

TEST(DomainXml, DamagedXmlNeverCrashes) {
  const auto seed = std::random_device{}();
  std::mt19937 noise(seed);
  const std::string good = domain(kPort, "<metadata><x/></metadata>");
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (int i = 0; i < 4; ++i) bad[noise() % bad.size()] = static_cast<char>(noise());
    if (noise() % 4 == 0) bad.resize(noise() % bad.size());
    const auto socket = channel_socket(bad);
    EXPECT_TRUE(!socket || socket->size() <= bad.size()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace clockmend::host
