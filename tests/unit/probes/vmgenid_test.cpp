// The one kernel line that tells of a VM fork.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "probes/vmgenid.hpp"
#include "tests/fakes/fake_kernel_log.hpp"

namespace clockmend::probes::test {
namespace {

struct VmgenidRig {
  void start() {
    probe.start([this](const core::Observation& o) { said.push_back(std::get<core::Disruption>(o)); });
  }
  fakes::FakeKernelLog log;
  VmgenidProbe probe{log};
  std::vector<core::Disruption> said;
};

TEST(Vmgenid, TheKernelsLineIsADisruption) {
  VmgenidRig rig;
  rig.start();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
  rig.log.line("random: crng reseeded due to virtual machine fork");
  rig.log.line("crng reseeded due to virtual machine fork");
  ASSERT_EQ(rig.said.size(), 2U);
  EXPECT_EQ(rig.said[0].tripwire, core::Tripwire::vmgenid);
  EXPECT_TRUE(rig.said[0].moved);
  EXPECT_FALSE(rig.said[0].gap.has_value());
  EXPECT_EQ(rig.said[0].why, "kernel log: crng reseeded due to virtual machine fork");
  EXPECT_NE(rig.probe.health().why.find("seen 2 times"), std::string::npos);
}

TEST(Vmgenid, NoOtherLineIs) {
  VmgenidRig rig;
  rig.start();
  for (const char* line :
       {"", "random: crng init done", "random: crng reseeded on system resumption",
        "usb 1-1: Product: crng reseeded due to virtual machine fork", "crng reseeded due to virtual machine fork[77]: segfault at 0",
        "audit: comm=\"random: crng reseeded due to virtual machine fork\"", "random: random: crng reseeded due to virtual machine fork"}) {
    rig.log.line(line);
  }
  EXPECT_TRUE(rig.said.empty());
}

TEST(Vmgenid, IsOffWithAReasonTheAdminCanActOn) {
  VmgenidRig rig;
  rig.log.error = core::Error{core::ErrorCode::not_permitted, "/dev/kmsg: Operation not permitted"};
  rig.start();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::off);
  EXPECT_NE(rig.probe.health().why.find("/dev/kmsg: Operation not permitted"), std::string::npos);
  EXPECT_NE(rig.probe.health().why.find("CAP_SYSLOG"), std::string::npos);
}

TEST(Vmgenid, IsOffWithoutALog) {
  VmgenidRig rig;
  rig.log.error = core::Error{core::ErrorCode::not_found, "/dev/kmsg: No such file or directory"};
  rig.start();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::off);
  EXPECT_EQ(rig.probe.health().why, "/dev/kmsg: No such file or directory");
}

TEST(Vmgenid, ReportsLostLinesALostLogAndTheDevice) {
  VmgenidRig rig;
  rig.start();
  EXPECT_NE(rig.probe.health().why.find("no vmgenid device"), std::string::npos);
  rig.probe.device_appeared();
  EXPECT_EQ(rig.probe.health().why, "watching the kernel log for a VM fork");
  rig.log.lost = 3;
  EXPECT_NE(rig.probe.health().why.find("lines were lost 3 times"), std::string::npos);
  rig.probe.device_gone();
  EXPECT_NE(rig.probe.health().why.find("no vmgenid device"), std::string::npos);
  rig.log.end({core::ErrorCode::io, "/dev/kmsg: Input/output error"});
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  EXPECT_NE(rig.probe.health().why.find("Input/output error"), std::string::npos);
}

}  // namespace
}  // namespace clockmend::probes::test
