// Which PTP clocks are taken, by name only, and on which scale they run.
#include "probes/ptp_kind.hpp"

#include <gtest/gtest.h>

#include "probes/ptp_candidates.hpp"

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;
using core::Timescale;

TEST(PtpKind, OnlyTheHypervisorsAndInOrder) {
  const char* wanted[] = {"KVM virtual PTP",
                          "hyperv",
                          "ptp_vmw",
                          "vmclock0",
                          "Virtio PTP type 0/variant 0",
                          "Virtio PTP type 1/variant 0",
                          "ena-ptp-05",
                          "Virtio PTP type 3/variant 1"};
  unsigned last = 0;
  for (const char* name : wanted) {
    const auto verdict = judge_ptp_name(name, {});
    ASSERT_TRUE(std::holds_alternative<PtpKind>(verdict)) << name;
    const PtpKind& kind = std::get<PtpKind>(verdict);
    EXPECT_TRUE(kind.rank > last || name == wanted[0]) << name;
    EXPECT_EQ(kind.tripwire, std::string_view(name).starts_with("Virtio PTP type 3")) << name;
    EXPECT_TRUE(kind.host_clock);
    last = kind.rank;
  }
}

TEST(PtpKind, NothingElse) {
  for (const char* name :
       {"e1000e-0000:00:02.0", "igb", "vmclock", "vmclock0x", "KVM virtual PTP 2", "hyperv2", "kvm virtual ptp", "",
        "Virtio PTP type 2/variant 0", "Virtio PTP type 4/variant 0", "Virtio PTP type 10/variant 0", "Virtio PTP type ", "ena-ptp"})
    EXPECT_TRUE(std::holds_alternative<std::string>(judge_ptp_name(name, {}))) << name;
}

TEST(PtpKind, WhatIsAllowedExactly) {
  core::PtpSettings settings;
  settings.allow = {"igb-0000:00:02.0", ""};
  const auto verdict = judge_ptp_name("igb-0000:00:02.0", settings);
  ASSERT_TRUE(std::holds_alternative<PtpKind>(verdict));
  EXPECT_FALSE(std::get<PtpKind>(verdict).host_clock) << "must prove its rate first";
  EXPECT_TRUE(std::holds_alternative<std::string>(judge_ptp_name("igb-0000:00:02.1", settings)));
  EXPECT_TRUE(std::holds_alternative<std::string>(judge_ptp_name("", settings)));
}

TEST(PtpKind, TheConfiguredScaleIsForThoseWhoseKindDoesNotTell) {
  core::PtpSettings settings;
  settings.allow = {"igb"};
  settings.timescale = Timescale::tai;
  for (const auto& [name, scale] : {std::pair{"KVM virtual PTP", Timescale::utc},
                                    {"ena-ptp-05", Timescale::utc},
                                    {"vmclock0", Timescale::tai},
                                    {"Virtio PTP type 0/variant 0", Timescale::utc},
                                    {"Virtio PTP type 1/variant 0", Timescale::tai},
                                    {"igb", Timescale::tai}})
    EXPECT_EQ(std::get<PtpKind>(judge_ptp_name(name, settings)).scale, scale) << name;
}

TEST(PtpScale, TheNearerOfTwoOrNone) {
  core::KernelClockStatus synchronised;
  synchronised.unsynchronized = false;
  core::KernelClockStatus with_tai = synchronised;
  with_tai.tai_offset_s = 38;
  const core::KernelClockStatus not_synchronised;
  struct Row {
    core::nanoseconds ahead;
    const core::KernelClockStatus& kernel;
    std::optional<core::nanoseconds> expected;
  };
  for (const Row& row : {Row{0ns, synchronised, 0ns}, Row{-499ms, synchronised, 0ns}, Row{499ms, not_synchronised, 0ns},
                         Row{501ms, synchronised, {}}, Row{37s, synchronised, 37s}, Row{37s + 499ms, synchronised, 37s},
                         Row{37s, not_synchronised, {}}, Row{37s + 501ms, synchronised, {}}, Row{-37s, synchronised, {}},
                         Row{37s, with_tai, {}}, Row{38s, with_tai, 38s}, Row{74s, synchronised, {}}, Row{3600s, synchronised, {}}})
    EXPECT_EQ(decide_tai_offset(Timescale::automatic, row.ahead, row.kernel), row.expected) << row.ahead.count();
  EXPECT_EQ(decide_tai_offset(Timescale::utc, 37s, synchronised), 0ns);
  EXPECT_EQ(decide_tai_offset(Timescale::tai, 500s, not_synchronised), 37s);
  EXPECT_EQ(decide_tai_offset(Timescale::tai, 0s, with_tai), 38s);
}

TEST(PtpCandidates, KeepWhatIsKnownAndNameAFewOnly) {
  PtpCandidates candidates;
  std::vector<core::PhcDevice> present{{"/dev/ptp3", "hyperv"}, {"/dev/ptp2", "KVM virtual PTP"}};
  for (int i = 10; i < 20; ++i) present.push_back({"/dev/ptp" + std::to_string(i), "mlx5_p" + std::to_string(i)});
  candidates.refresh(present, {}, {});
  const core::MonotonicPoint now{1000s};
  ASSERT_NE(candidates.pick(now), nullptr);
  EXPECT_EQ(candidates.pick(now)->device.node, "/dev/ptp2");
  candidates.set_aside({"/dev/ptp2", "KVM virtual PTP"}, now, "broken");
  EXPECT_EQ(candidates.pick(now)->device.node, "/dev/ptp3");
  candidates.refresh(present, {}, {});
  EXPECT_EQ(candidates.pick(now)->device.node, "/dev/ptp3") << "still set aside";
  EXPECT_EQ(candidates.pick(now + 10s)->device.node, "/dev/ptp2");
  const core::PhcDevice taken{"/dev/ptp3", "hyperv"};
  const std::string text = candidates.others(&taken);
  EXPECT_NE(text.find("/dev/ptp2 (KVM virtual PTP): broken"), std::string::npos) << text;
  EXPECT_NE(text.find("and 7 more"), std::string::npos) << text;
  EXPECT_EQ(text.find("/dev/ptp3"), std::string::npos) << text;
}

}  // namespace
}  // namespace clockmend::probes
