// clockmendd: arguments -> configuration -> logger -> run -> exit code.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

#include "agent/app/agent_app.hpp"
#include "agent/app/recovery.hpp"
#include "agent/app/version.hpp"
#include "agent/config/config.hpp"
#include "agent/os/files.hpp"

namespace {

constexpr int kBadConfiguration = 78;  // EX_CONFIG of sysexits.h: systemd need not restart on it

int run(int argc, char** argv) {
  using namespace clockmend;
  CLI::App cli{"clockmendd - puts the clock of a frozen virtual machine right, and keeps the time daemon healthy"};
  cli.set_version_flag("--version", std::string("clockmendd ") + app::kVersion);
  core::Paths paths;
  bool recover = false;
  bool dead_man = false;
  bool check = false;
  std::string level;
  cli.add_option("--config", paths.config, "Configuration file")->capture_default_str();
  cli.add_option("--config-dir", paths.config_dir, "Directory of drop-ins (*.toml)")->capture_default_str();
  cli.add_option("--root", paths.root, "Prefix before every path (tests)");
  cli.add_option("--log-level", level, "debug, info, warning or error; instead of log.level")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  cli.add_flag("--recover", recover, "Start again what a killed agent left stopped, then exit (for ExecStopPost=)");
  cli.add_flag("--dead-man", dead_man, "With --recover: the agent may still run, only start what it left stopped")->needs("--recover");
  cli.add_flag("--check-config", check, "Read the configuration, print its errors, then exit");
  cli.footer("Signals: SIGHUP reloads the configuration; SIGTERM ends. See clockmendd(8) and clockmend.toml(5).");
  CLI11_PARSE(cli, argc, argv);

  os::PosixFileReader files{paths.root};
  auto settings = config::load(files, paths);
  if (!settings && !recover) {
    std::fprintf(stderr, "clockmendd: the configuration has errors:\n%s\n", settings.error().text.c_str());
    return kBadConfiguration;
  }
  if (check) {
    std::puts("clockmendd: the configuration is correct");
    return 0;
  }
  // A bad configuration must not keep a stopped time daemon down.
  core::Settings chosen = settings ? *settings : core::Settings{};
  if (!level.empty()) chosen.log.level = level;
  return recover ? app::recover_and_exit(paths, chosen, dead_man) : app::run_agent(paths, chosen, level);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clockmendd: %s\n", e.what());
    return 1;
  }
}
