#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "agent/config/config.hpp"
#include "tests/fakes/fake_files.hpp"

namespace clockmend::tests {
namespace {

std::string error_of(const std::string& text) {
  fakes::FakeFiles reader;
  reader.files["/etc/clockmend/conf.d/10-x.toml"] = text;
  const auto settings = config::load(reader, core::Paths{});
  return settings ? "" : settings.error().text;
}

struct Mistake {
  const char* name;
  const char* text;
  const char* says;  // the end of the line, after "/etc/clockmend/conf.d/10-x.toml:"
};

class ConfigMistake : public testing::TestWithParam<Mistake> {};

TEST_P(ConfigMistake, NamesFileLineAndKey) {
  const std::string error = error_of(GetParam().text);
  EXPECT_NE(error.find(std::string("/etc/clockmend/conf.d/10-x.toml:") + GetParam().says), std::string::npos) << error;
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 0) << error;
}

INSTANTIATE_TEST_SUITE_P(
    All, ConfigMistake,
    testing::Values(
        Mistake{"bare_number", "[policy]\n\nstep_threshold = 100\n",
                "3: policy.step_threshold: a duration needs its unit: write for example \"100 ms\""},
        Mistake{"float", "[policy]\nstep_threshold = 0.1\n",
                "2: policy.step_threshold: must be a duration such as \"100 ms\", not a number with a fraction"},
        Mistake{"no_unit", "[policy]\nstep_threshold = \"100\"\n", "2: policy.step_threshold: \"100\" has no unit"},
        Mistake{"bad_unit", "[policy]\nstep_threshold = \"100 msec\"\n", "2: policy.step_threshold: \"100 msec\" has an unknown unit"},
        Mistake{"negative", "[policy]\nstep_threshold = \"-1 s\"\n", "2: policy.step_threshold: \"-1 s\" is not a duration"},
        Mistake{"two_dots", "[policy]\nstep_threshold = \"1.2.3 s\"\n", "2: policy.step_threshold: \"1.2.3 s\" is not a duration"},
        Mistake{"too_large", "[policy]\nstep_threshold = \"99999999999999999999 s\"\n",
                "2: policy.step_threshold: \"99999999999999999999 s\" is too large"},
        Mistake{"overflow", "[policy]\nstep_threshold = \"9999999999 d\"\n", "2: policy.step_threshold: \"9999999999 d\" is too large"},
        Mistake{"range", "[policy]\nstep_threshold = \"2 h\"\n", "2: policy.step_threshold: \"2 h\" is outside 1 ms .. 1 h"},
        Mistake{"too_fine", "[policy]\nstep_threshold = \"100500 us\"\n", "2: policy.step_threshold: \"100500 us\" is finer than 1 ms"},
        Mistake{"sub_ns", "[policy]\ntrim_threshold = \"0.0000000001 s\"\n",
                "2: policy.trim_threshold: \"0.0000000001 s\" is too large or finer than 1 ns"},
        Mistake{"word", "[policy]\nmode = \"corect\"\n",
                "2: policy.mode: \"corect\" is not one of \"correct\" | \"slew-only\" | \"observe\" | \"off\"; did you mean \"correct\"?"},
        Mistake{"word_type", "[policy]\nmode = true\n", "2: policy.mode: must be one of"},
        Mistake{"typo", "[ntp]\nsevrers = []\n", "2: ntp.sevrers: unknown key; did you mean ntp.servers?"},
        Mistake{"elsewhere", "[policy]\nmax_age = \"1 s\"\n", "2: policy.max_age: unknown key; did you mean channel.max_age?"},
        Mistake{"above_tables", "mode = \"off\"\n", "1: mode: unknown key (every key belongs to a [table]); did you mean policy.mode?"},
        Mistake{"unknown", "[policy]\nzzzzzzzz = 1\n", "2: policy.zzzzzzzz: unknown key"},
        Mistake{"table", "[polcy]\nmode = \"off\"\n", "2: [polcy]: unknown table; did you mean [policy]?"},
        Mistake{"empty_table", "\n[polcy]\n", "2: [polcy]: unknown table; did you mean [policy]?"},
        Mistake{"sub_table", "[policy.mode]\nx = 1\n", "1: policy.mode: must be one of"},
        Mistake{"array_table", "[[policy]]\nmode = \"off\"\n", "1: policy: unknown key (every key belongs to a [table])"},
        Mistake{"flag", "[ntp]\nenabled = \"yes\"\n", "2: ntp.enabled: must be true or false, not a string"},
        Mistake{"port", "[ntp]\nport = 65536\n", "2: ntp.port: 65536 is outside 1 .. 65535"},
        Mistake{"number_type", "[ntp]\nport = \"123\"\n", "2: ntp.port: must be a whole number, not a string"},
        Mistake{"server", "[ntp]\nservers = [\"a b\"]\n", "2: ntp.servers: \"a b\" is neither a host name nor an address"},
        Mistake{"server_option", "[ntp]\nservers = [\"-x\"]\n", "2: ntp.servers: \"-x\" is neither"},
        Mistake{"server_twice", "[ntp]\nservers = [\"a\", \"a\"]\n", "2: ntp.servers: \"a\" is listed twice"},
        Mistake{"servers_type", "[ntp]\nservers = \"a\"\n", "2: ntp.servers: must be a list of strings, not a string"},
        Mistake{"servers_mixed", "[ntp]\nservers = [\"a\", 1]\n",
                "2: ntp.servers: must be a list of strings, not a list that holds more than strings"},
        Mistake{
            "servers_many",
            "[ntp]\nservers = [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\"]\n",
            "2: ntp.servers: has more than 16 elements"},
        Mistake{"verb", "[channel]\nblocked_verbs = [\"clock-resink\"]\n",
                "2: channel.blocked_verbs: \"clock-resink\" is not a channel command; did you mean \"clock-resync\"?"},
        Mistake{"port_name", "[channel]\nport_name = \"../x\"\n", "2: channel.port_name: \"../x\" is not a port name"},
        Mistake{"unit", "[daemon]\nunit = \"ntpsec\"\n", "2: daemon.unit: \"ntpsec\" is not a service unit"},
        Mistake{"action", "[daemon]\naction = \"nuge\"\n",
                "2: daemon.action: \"nuge\" is not one of \"auto\" | \"restart\" | \"nudge\" | \"leave\"; did you mean \"nudge\"?"},
        Mistake{"action_unit", "[daemon]\nleave = [\"chronyd\"]\n", "2: daemon.leave: \"chronyd\" is not a service unit"},
        Mistake{"action_no_unit", "[daemon]\nnudge = [\"\"]\n", "2: daemon.nudge: an empty name is not a service unit"},
        Mistake{"action_twice", "[daemon]\nnudge = [\"a.service\"]\nleave = [\"b.service\", \"a.service\"]\n",
                "3: daemon.leave: contradicts daemon.nudge, which names a unit that another list names too"},
        Mistake{"action_stop_first", "[policy]\nsequence = \"stop-first\"\n[daemon]\naction = \"nudge\"\n",
                "4: daemon.action: contradicts policy.sequence, which must not be \"stop-first\" where a time daemon is let run on"},
        Mistake{"action_list_stop_first", "[daemon]\nleave = [\"a.service\"]\n[policy]\nsequence = \"stop-first\"\n",
                "4: policy.sequence: must not be \"stop-first\" where a time daemon is let run on"},
        Mistake{"device", "[rtc]\ndevice = \"/dev/../etc\"\n", "2: rtc.device: \"/dev/../etc\" is not below /dev"},
        Mistake{"date", "[policy]\nfloor = \"2024-01-01\"\n", "2: policy.floor: must be a date such as 2024-01-31"},
        Mistake{"date_zone", "[policy]\nfloor = 2024-01-01T00:00:00\n",
                "2: policy.floor: must be a date such as 2024-01-31 or 2024-01-31T00:00:00Z, without quotes, not a date and time without "
                "its offset"},
        Mistake{"date_far", "[policy]\nceiling = 9999-01-01\n", "2: policy.ceiling: must be a date"},
        Mistake{"syntax", "[policy]\nmode = \n", "2: "},
        Mistake{"failed_check", "[policy]\nmode = \"off\"\n[.ntp]\nport = 1\n", "3: this is not TOML"},
        Mistake{"failed_check_date", "[policy]\nfloor = 2024-01-01T:00:00Z\n", "2: this is not TOML"},
        Mistake{"comment", "# \xff\xc3 caf\xc3\xa9\n[policy]\nmode = \"\xc3\xa9\"\n", "3: policy.mode: \"??\" is not one of"},
        Mistake{"duplicate", "[log]\nlevel = \"info\"\nlevel = \"info\"\n", "3: "},
        Mistake{"below_record", "[policy]\nstep_threshold = \"20 ms\"\n",
                "2: policy.step_threshold: must not be below policy.record_threshold"},
        Mistake{"above_step", "[policy]\nrecord_threshold = \"2 s\"\n",
                "2: policy.record_threshold: contradicts policy.step_threshold, which must not be below"},
        Mistake{"trim", "[policy]\ntrim_threshold = \"200 ms\"\n", "2: policy.trim_threshold: must not be above policy.step_threshold"},
        Mistake{"floor", "[policy]\nfloor = 2101-01-01\n", "2: policy.floor: must be before policy.ceiling"},
        Mistake{"accumulated", "[policy]\nmax_accumulated = \"10 s\"\n",
                "2: policy.max_accumulated: must not be below policy.max_forward_uncorroborated"},
        Mistake{"nobody", "[ntp]\ndiscover = false\n", "2: ntp.discover: is off and ntp.servers is empty"},
        Mistake{"command_alone", "[daemon]\ncommand_stop = [\"/bin/a\"]\n",
                "2: daemon.command_stop: is one of command_status, command_stop, command_start: all three are needed, or none"},
        Mistake{"command_path", "[daemon]\ncommand_stop = [\"sv\", \"stop\"]\n", "2: daemon.command_stop: \"sv\" is not an absolute path"},
        Mistake{"command_type", "[daemon]\ncommand_stop = \"/bin/a\"\n", "2: daemon.command_stop: must be a list of strings, not a string"},
        Mistake{
            "command_and_unit",
            "[daemon]\ncommand_status = [\"/bin/a\"]\ncommand_stop = [\"/bin/a\"]\ncommand_start = [\"/bin/a\"]\nunit = \"a.service\"\n",
            "5: daemon.unit: and daemon.command_start name two time daemons"},
        Mistake{"backend", "[step]\nbackend = \"ntpdat\"\n",
                "2: step.backend: \"ntpdat\" is not one of \"builtin\" | \"ntpdate\" | \"ntpd\" | \"ntpdig\" | \"chronyd\"; did you mean "
                "\"ntpdate\"?"},
        Mistake{"backend_beside", "[daemon]\naction = \"nudge\"\n[step]\nbackend = \"ntpdate\"\n",
                "4: step.backend: must be \"builtin\" where a time daemon is let run on"},
        Mistake{"backend_list_beside", "[step]\nbackend = \"chronyd\"\n[daemon]\nleave = [\"a.service\"]\n",
                "4: daemon.leave: contradicts step.backend, which must be \"builtin\" where a time daemon is let run on"},
        Mistake{"backend_without_ntp", "[step]\nbackend = \"ntpd\"\n[ntp]\nenabled = false\n",
                "4: ntp.enabled: contradicts step.backend, which must be \"builtin\" without NTP"},
        Mistake{"backend_port", "[step]\nbackend = \"ntpdig\"\n[ntp]\nport = 1123\n",
                "4: ntp.port: contradicts step.backend, which asks port 123 only"},
        Mistake{"rtc_backend", "[rtc]\nbackend = \"hwclok\"\n",
                "2: rtc.backend: \"hwclok\" is not one of \"ioctl\" | \"hwclock\"; did you mean"},
        Mistake{"deadline", "[ntp]\nserver_timeout = \"6 s\"\n", "2: ntp.server_timeout: contradicts policy.verification_deadline"},
        Mistake{"stop_first", "[policy]\nsequence = \"stop-first\"\n[daemon]\nmanage = false\n",
                "4: daemon.manage: contradicts policy.sequence, which \"stop-first\" needs"}),
    [](const testing::TestParamInfo<Mistake>& mistake) { return mistake.param.name; });

TEST(ConfigMistakes, AllAreToldAtOnceWithTheirOwnLine) {
  const std::string error = error_of("[policy]\nmode = 1\nstep_threshold = 2\n[ntp]\nport = 0\nfoo = 1\n[bar]\n");
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 4) << error;
  for (const char* place : {":2: policy.mode", ":3: policy.step_threshold", ":5: ntp.port", ":6: ntp.foo", ":7: [bar]"}) {
    EXPECT_NE(error.find(place), std::string::npos) << place << "\n" << error;
  }
}

TEST(ConfigMistakes, ButNotMoreThanTwenty) {
  std::string text = "[policy]\n";
  for (int i = 0; i < 500; ++i) text += "key" + std::to_string(i) + " = 1\n";
  const std::string error = error_of(text);
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 19) << error;
}

TEST(ConfigMistakes, ASyntaxErrorInOneFileDoesNotHideTheOthers) {
  fakes::FakeFiles reader;
  reader.files["/etc/clockmend/clockmend.toml"] = "[policy\n";
  reader.files["/etc/clockmend/conf.d/a.toml"] = "[log]\nlevel = 1\n";
  const auto settings = config::load(reader, core::Paths{});
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().text.find("/etc/clockmend/clockmend.toml:1: "), std::string::npos);
  EXPECT_NE(settings.error().text.find("/etc/clockmend/conf.d/a.toml:2: log.level"), std::string::npos);
}

TEST(ConfigMistakes, HostileTextIsAnErrorNotACrash) {
  for (const std::string& text :
       {std::string("\0\0\0", 3), std::string("\xff\xfe[policy]\nx=1"), std::string("[policy]\nmode = \"\xff\"\n"),
        "x = " + std::string(100'000, '['), "x = " + std::string(5'000, '{'), "a" + std::string(5'000, '.') + " = 1",
        "[policy]\nstep_threshold = " + std::string(10'000, '9') + "\n"}) {
    EXPECT_NE(error_of(text), "") << text.substr(0, 20);
  }
}

TEST(ConfigMistakes, RandomDamageIsSurvived) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string whole =
      "[policy]\nmode = \"observe\"\nstep_threshold = \"200 ms\"\nfloor = 2024-01-01T00:00:00Z\n[ntp]\nservers = [\"a\", \"b\"]\nport = "
      "123\n";
  for (int i = 0; i < 3000; ++i) {
    std::string text = whole;
    for (int damage = 0; damage < 3; ++damage) text[random() % text.size()] = static_cast<char>(random());
    static_cast<void>(error_of(text));
  }
}

}  // namespace
}  // namespace clockmend::tests
