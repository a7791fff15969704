// The real operating system behind the ports: one object per port, built in the order they need each other.
#pragma once

#include <asio/io_context.hpp>

#include <string>

#include "agent/app/executor.hpp"
#include "agent/app/journal_file.hpp"
#include "agent/core/settings.hpp"
#include "agent/os/clock_adjuster.hpp"
#include "agent/os/clock_reader.hpp"
#include "agent/os/files.hpp"
#include "agent/os/hook_finder.hpp"
#include "agent/os/init_system.hpp"
#include "agent/os/program_runner.hpp"
#include "agent/os/rtc_device.hpp"
#include "agent/os/scheduler.hpp"
#include "agent/os/systemd_services.hpp"
#include "correctors/application_hooks.hpp"
#include "correctors/backends/hwclock_writer.hpp"
#include "correctors/backends/step_tool.hpp"
#include "correctors/clock_stepper.hpp"
#include "correctors/rtc_writer.hpp"
#include "correctors/time_daemon/command_services.hpp"
#include "correctors/time_daemon/sync_watch.hpp"
#include "correctors/time_daemon/time_daemons.hpp"

namespace clockmend::app {

struct System {
  System(asio::io_context& io, const core::Paths& paths, const core::Settings& settings);
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  [[nodiscard]] Correctors correctors() { return {stepper, daemons, rtc_writer, rtc_enabled, &step_tool, &hwclock, &hooks}; }

  bool rtc_enabled;
  os::LinuxClockReader clock;
  os::LinuxClockAdjuster adjuster;
  os::AsioScheduler scheduler;
  os::PosixFileReader files;
  os::PosixFileWriter writer;
  os::LinuxRtc rtc;
  os::InitSystem init;  // by which time daemons are started and stopped
  os::SystemdServices services;
  os::ProgramRunner programs;
  core::CommandRunner& commands;  // of the two, who runs programs here
  correctors::CommandServices scripts;
  correctors::ClockStepper stepper;
  correctors::RtcWriter rtc_writer;
  correctors::StepTool step_tool;
  correctors::HwclockWriter hwclock;
  correctors::TimeDaemons daemons;
  os::FolderHookFinder hook_finder;
  correctors::ApplicationHooks hooks;
  correctors::SyncWatch sync_watch;
  JournalFile journal;
};

}  // namespace clockmend::app
