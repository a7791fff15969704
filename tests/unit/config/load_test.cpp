#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "agent/config/config.hpp"
#include "agent/config/keys.hpp"
#include "tests/fakes/fake_files.hpp"

namespace clockmend::tests {
namespace {

using namespace std::chrono_literals;

const char* const kMain = "/etc/clockmend/clockmend.toml";

core::Result<core::Settings> load(const std::map<std::string, std::string>& files) {
  fakes::FakeFiles reader;
  for (const auto& [name, text] : files) reader.files[name.starts_with('/') ? name : "/etc/clockmend/conf.d/" + name] = text;
  return config::load(reader, core::Paths{});
}

core::Result<core::Settings> load_text(const std::string& text) { return load({{kMain, text}}); }

std::string error_of(const core::Result<core::Settings>& result) { return result ? "" : result.error().text; }

TEST(ConfigLoad, NoFileAtAllMeansDefaults) {
  const auto settings = load({});
  ASSERT_TRUE(settings) << error_of(settings);
  EXPECT_EQ(settings->policy.step_threshold, 100ms);
  EXPECT_TRUE(settings->origins.empty());
}

constexpr std::size_t kHypervisorKeys = 8;

TEST(ConfigLoad, EveryKeyOfAHypervisorsClocksReachesItsMember) {
  const auto loaded = load_text(R"(
[ptp]
enabled = false
allow = ["52:54:00:12:34:56"]
timescale = "tai"
[vmclock]
enabled = false
device = "/dev/vmclock1"
[tsc]
enabled = false
[vmgenid]
enabled = false
[detection]
poll_interval = "100 ms"
)");
  ASSERT_TRUE(loaded) << loaded.error().text;
  const core::Settings& s = *loaded;
  EXPECT_FALSE(s.ptp.enabled);
  EXPECT_EQ(s.ptp.allow, std::vector<std::string>{"52:54:00:12:34:56"});
  EXPECT_EQ(s.ptp.timescale, core::Timescale::tai);
  EXPECT_FALSE(s.vmclock.enabled);
  EXPECT_EQ(s.vmclock.device, "/dev/vmclock1");
  EXPECT_FALSE(s.tsc_enabled);
  EXPECT_FALSE(s.vmgenid_enabled);
  EXPECT_EQ(s.poll_interval, 100ms);
  EXPECT_EQ(s.origins.size(), kHypervisorKeys);
}

constexpr std::size_t kCommandKeys = 3;

TEST(ConfigLoad, CommandsKeepTheirWordsAsTheyAre) {
  const auto loaded = load_text(R"(
[daemon]
command_status = ["/usr/bin/sv", "check", "ntpd"]
command_stop = ["/usr/bin/sv", "stop", "ntpd", "ntpd"]
command_start = ["/usr/bin/sv", "start", "two words"]
)");
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ(loaded->daemon.command_status, (std::vector<std::string>{"/usr/bin/sv", "check", "ntpd"}));
  EXPECT_EQ(loaded->daemon.command_stop, (std::vector<std::string>{"/usr/bin/sv", "stop", "ntpd", "ntpd"}));
  EXPECT_EQ(loaded->daemon.command_start, (std::vector<std::string>{"/usr/bin/sv", "start", "two words"}));
  EXPECT_EQ(loaded->origins.size(), kCommandKeys);
}

constexpr std::size_t kBackendKeys = 5;
constexpr std::size_t kActionKeys = 4;

TEST(ConfigLoad, EveryKeyOfWhatBecomesOfADaemonReachesItsMember) {
  const auto loaded = load_text(R"(
[daemon]
action = "leave"
restart = ["ntpsec.service"]
nudge = ["chrony.service", "chronyd.service"]
leave = ["ntpd-rs.service"]
)");
  ASSERT_TRUE(loaded) << loaded.error().text;
  const core::DaemonSettings& d = loaded->daemon;
  EXPECT_EQ(d.action, core::DaemonAction::leave);
  EXPECT_EQ(d.restart, std::vector<std::string>{"ntpsec.service"});
  EXPECT_EQ(d.nudge, (std::vector<std::string>{"chrony.service", "chronyd.service"}));
  EXPECT_EQ(d.leave, std::vector<std::string>{"ntpd-rs.service"});
  EXPECT_EQ(loaded->origins.size(), kActionKeys);
}

constexpr std::size_t kApplicationKeys = 5;

TEST(ConfigLoad, EveryKeyOfWhatApplicationsSeeReachesItsMember) {
  const auto loaded = load_text(R"(
[daemon]
quiesce = true
[hooks]
enabled = false
pre_step_wait = "0 s"
deadline = "5 s"
[target]
enabled = false
)");
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_TRUE(loaded->daemon.quiesce);
  EXPECT_FALSE(loaded->hooks.enabled);
  EXPECT_EQ(loaded->policy.pre_step_wait, 0ms);
  EXPECT_EQ(loaded->hooks.deadline, 5s);
  EXPECT_FALSE(loaded->valid_target);
  EXPECT_EQ(loaded->origins.size(), kApplicationKeys);
}

TEST(ConfigLoad, AQuiescedDaemonMustBeOneThatIsManaged) {
  const auto loaded = load_text("[daemon]\nmanage = false\nquiesce = true\n");
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text.find("daemon.quiesce: needs daemon.manage = true"), std::string::npos) << loaded.error().text;
}

TEST(ConfigLoad, StopFirstLetsNoDaemonRunOn) {
  EXPECT_EQ(load_text("")->daemon.action, core::DaemonAction::automatic);
  EXPECT_EQ(load_text("[policy]\nsequence = \"stop-first\"\n")->daemon.action, core::DaemonAction::restart);
}

TEST(ConfigLoad, EveryKeyReachesItsMember) {
  const auto loaded = load_text(R"(
[policy]
mode = "observe"
sequence = "stop-first"
on_disagreement = "hold"
on_foreign_step = "ignore"
record_threshold = "60 ms"
step_threshold = "0.2 s"
trim_threshold = "1500us"
backward_slew_limit = "400 ms"
max_forward_uncorroborated = "17 min"
max_backward_uncorroborated = "2s"
disagreement_tolerance = "900 ms"
max_accumulated = "1 h"
accumulation_window = "2 h"
floor = 2024-02-03
ceiling = 2099-01-01T00:00:00+02:00
host_clock_error = "20 ms"
verification_deadline = "4 s"
[ntp]
enabled = true
servers = ["time.example", "192.0.2.1", "2001:db8::1"]
discover = false
port = 1123
server_timeout = "500 ms"
resolve_timeout = "3 s"
wanted_error = "5 ms"
idle_interval = "30 min"
max_servers = 8
[rtc]
enabled = false
device = "/dev/rtc1"
write = false
write_threshold = "200 ms"
[channel]
enabled = false
port_name = "org.qemu.guest_agent.0"
allowed_verbs = ["guest-ping", "clock-resync"]
blocked_verbs = ["clock-resync"]
max_age = "10 s"
[daemon]
manage = true
unit = "ntpsec.service"
stop_deadline = "5 s"
start_deadline = "6 s"
[log]
level = "debug"
[history]
max_records = 50
)");
  ASSERT_TRUE(loaded) << error_of(loaded);
  const core::Settings& s = *loaded;
  EXPECT_EQ(s.policy.mode, core::Mode::observe);
  EXPECT_EQ(s.policy.sequence, core::Sequence::stop_first);
  EXPECT_EQ(s.policy.on_disagreement, core::OnDisagreement::hold);
  EXPECT_EQ(s.policy.on_foreign_step, core::OnForeignStep::ignore);
  EXPECT_EQ(s.policy.record_threshold, 60ms);
  EXPECT_EQ(s.policy.step_threshold, 200ms);
  EXPECT_EQ(s.policy.trim_threshold, 1500us);
  EXPECT_EQ(s.policy.backward_slew_limit, 400ms);
  EXPECT_EQ(s.policy.max_forward_uncorroborated, 1020s);
  EXPECT_EQ(s.policy.max_backward_uncorroborated, 2s);
  EXPECT_EQ(s.policy.disagreement_tolerance, 900ms);
  EXPECT_EQ(s.policy.max_accumulated, 3600s);
  EXPECT_EQ(s.policy.accumulation_window, 7200s);
  EXPECT_EQ(s.policy.floor, core::RealtimePoint(1706918400s));
  EXPECT_EQ(s.policy.ceiling, core::RealtimePoint(4070908800s - 7200s));
  EXPECT_EQ(s.policy.host_clock_error, 20ms);
  EXPECT_EQ(s.policy.verification_deadline, 4s);
  EXPECT_EQ(s.ntp.servers, (std::vector<std::string>{"time.example", "192.0.2.1", "2001:db8::1"}));
  EXPECT_FALSE(s.ntp.discover);
  EXPECT_EQ(s.ntp.port, 1123);
  EXPECT_EQ(s.ntp.server_timeout, 500ms);
  EXPECT_EQ(s.ntp.resolve_timeout, 3s);
  EXPECT_EQ(s.ntp.wanted_error, 5ms);
  EXPECT_EQ(s.ntp.idle_interval, 1800s);
  EXPECT_EQ(s.ntp.max_servers, 8U);
  EXPECT_FALSE(s.rtc.enabled);
  EXPECT_EQ(s.rtc.device, "/dev/rtc1");
  EXPECT_FALSE(s.policy.write_rtc);
  EXPECT_EQ(s.policy.rtc_write_threshold, 200ms);
  EXPECT_FALSE(s.channel.enabled);
  EXPECT_EQ(s.channel.port_name, "org.qemu.guest_agent.0");
  EXPECT_EQ(s.channel.allowed_verbs, (std::vector<std::string>{"guest-ping", "clock-resync"}));
  EXPECT_EQ(s.channel.blocked_verbs, std::vector<std::string>{"clock-resync"});
  EXPECT_EQ(s.channel.max_age, 10s);
  EXPECT_TRUE(s.policy.manage_daemon);
  EXPECT_EQ(s.daemon.unit, "ntpsec.service");
  EXPECT_EQ(s.daemon.stop_deadline, 5s);
  EXPECT_EQ(s.daemon.start_deadline, 6s);
  EXPECT_EQ(s.log.level, "debug");
  EXPECT_EQ(s.history_max_records, 50U);
  EXPECT_EQ(s.origins.size() + kBackendKeys + kHypervisorKeys + kActionKeys + kCommandKeys + kApplicationKeys, config::all_keys().size());
}

TEST(ConfigLoad, EveryBackendKeyReachesItsValue) {
  const auto loaded = load_text(R"([step]
backend = "chronyd"
fallback = "none"
deadline = "90 s"
[rtc]
backend = "hwclock"
fallback = "none"
)");
  ASSERT_TRUE(loaded) << error_of(loaded);
  EXPECT_EQ(loaded->policy.step_backend, core::StepBackend::chronyd);
  EXPECT_EQ(loaded->policy.step_fallback, core::StepFallback::none);
  EXPECT_EQ(loaded->step.deadline, 90s);
  EXPECT_EQ(loaded->rtc.backend, core::RtcBackend::hwclock);
  EXPECT_EQ(loaded->rtc.fallback, core::RtcFallback::none);
  EXPECT_EQ(loaded->origins.size(), kBackendKeys);
}

TEST(ConfigLoad, DropInsWinKeyByKeyInLexicalOrder) {
  const auto settings = load({{kMain, "[policy]\nmode = \"off\"\nstep_threshold = \"200 ms\"\n"},
                              {"20-late.toml", "[policy]\nmode = \"observe\"\n"},
                              {"10-early.toml", "\n[policy]\nmode = \"slew-only\"\n[log]\nlevel = \"error\"\n"},
                              {"30-not.conf", "nonsense"},
                              {".40-hidden.toml", "nonsense"}});
  ASSERT_TRUE(settings) << error_of(settings);
  EXPECT_EQ(settings->policy.mode, core::Mode::observe);
  EXPECT_EQ(settings->policy.step_threshold, 200ms);
  EXPECT_EQ(settings->log.level, "error");
  const auto& origins = settings->origins;
  EXPECT_NE(std::find(origins.begin(), origins.end(), "/etc/clockmend/conf.d/20-late.toml:2 policy.mode"), origins.end());
  EXPECT_NE(std::find(origins.begin(), origins.end(), "/etc/clockmend/clockmend.toml:3 policy.step_threshold"), origins.end());
}

TEST(ConfigLoad, TheSampleSaysTheDefaults) {
  std::istringstream sample(config::describe_defaults());
  std::string uncommented;
  for (std::string line; std::getline(sample, line);) {
    if (line.starts_with("#") && !line.starts_with("# ")) line.erase(0, 1);
    uncommented += line + "\n";
  }
  const auto settings = load_text(uncommented);
  ASSERT_TRUE(settings) << error_of(settings) << uncommented;
  EXPECT_EQ(settings->origins.size(), config::all_keys().size());
  const core::Settings defaults;
  for (const config::KeySpec& key : config::all_keys()) EXPECT_EQ(key.show(*settings), key.show(defaults)) << key.table << "." << key.key;
}

TEST(ConfigLoad, AnUnreadableMainFileIsAnError) {
  fakes::FakeFiles reader;
  reader.errors[kMain] = {core::ErrorCode::not_permitted, "permission denied"};
  const auto settings = config::load(reader, core::Paths{});
  EXPECT_EQ(error_of(settings), "/etc/clockmend/clockmend.toml: permission denied");
}

TEST(ConfigLoad, AHugeFileIsAnError) {
  EXPECT_NE(error_of(load_text(std::string(300 * 1024, '#'))).find("larger than"), std::string::npos);
}

}  // namespace
}  // namespace clockmend::tests
