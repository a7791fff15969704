#include "agent/cli/options.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace clockmend::tests {
namespace {

cli::Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "clockmend");
  return cli::parse_options(static_cast<int>(arguments.size()), arguments.data());
}

template <typename T>
T command(const std::vector<const char*>& arguments) {
  return std::get<T>(std::get<cli::Command>(parse(arguments).command));
}

TEST(CliOptions, SubcommandsAndTheirSwitches) {
  EXPECT_TRUE(command<cli::StatusCommand>({"status", "--check"}).check);
  EXPECT_TRUE(command<cli::StatusCommand>({"status", "--json"}).json);
  EXPECT_TRUE(command<cli::ResyncCommand>({"resync", "--dry-run"}).dry_run);
  EXPECT_FALSE(command<cli::ResyncCommand>({"resync"}).force);
  EXPECT_FALSE(command<cli::ResyncCommand>({"resync"}).backend);
  EXPECT_EQ(command<cli::ResyncCommand>({"resync", "--backend", "ntpd"}).backend, core::StepBackend::ntpd);
  EXPECT_EQ(command<cli::ResyncCommand>({"resync", "--backend", "builtin"}).backend, core::StepBackend::builtin);
  EXPECT_EQ(command<cli::ResyncCommand>({"resync", "--deadline", "5s"}).deadline, core::seconds{5});
  EXPECT_EQ(command<cli::HistoryCommand>({"history", "-n", "7"}).records, 7U);
  static_cast<void>(command<cli::DoctorCommand>({"doctor"}));
}

TEST(CliOptions, RootStandsBeforeOrAfter) {
  EXPECT_EQ(parse({"--root", "/tree", "status"}).root, "/tree");
  EXPECT_EQ(parse({"status", "--root", "/tree"}).root, "/tree");
}

TEST(CliOptions, MistakesEndWithTheUsageCode) {
  const std::vector<std::vector<const char*>> mistakes = {{},
                                                          {"frob"},
                                                          {"status", "--json", "--check"},
                                                          {"history", "-n", "0"},
                                                          {"history", "-n", "x"},
                                                          {"resync", "--deadline", "never"},
                                                          {"resync", "--backend", "rdate"},
                                                          {"status", "x"}};
  for (const auto& arguments : mistakes) {
    const cli::Options options = parse(arguments);
    ASSERT_TRUE(std::holds_alternative<cli::Output>(options.command));
    EXPECT_EQ(std::get<cli::Output>(options.command).code, cli::kUsageError);
    EXPECT_FALSE(std::get<cli::Output>(options.command).error.empty());
  }
}

TEST(CliOptions, HelpAndVersionEndWell) {
  for (const char* flag : {"--help", "--version"}) {
    const cli::Options options = parse({flag});
    EXPECT_EQ(std::get<cli::Output>(options.command).code, 0);
    EXPECT_FALSE(std::get<cli::Output>(options.command).text.empty());
  }
}

}  // namespace
}  // namespace clockmend::tests
