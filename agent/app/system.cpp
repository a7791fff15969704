#include "agent/app/system.hpp"

namespace clockmend::app {
namespace {

// Names this boot: a journal of another one means nothing (random(4), /proc/sys/kernel/random/boot_id).
std::string boot_id(const std::string& root) {
  os::PosixFileReader proc{root};
  const auto text = proc.read("/proc/sys/kernel/random/boot_id", 64);
  return text ? text->substr(0, text->find('\n')) : std::string("unknown");
}

// A tree of one's own has a bus of its own: an agent with --root must not stop the time daemon of the machine it runs on.
os::SystemdPlace bus_below(const std::string& root) {
  os::SystemdPlace place;
  if (!root.empty()) place.bus_address = "unix:path=" + root + "/run/dbus/system_bus_socket";
  return place;
}

correctors::ServicePrograms scripts_of(os::InitSystem init, const std::string& root) {
  const auto going_down = [init, root] { return os::going_down(init, root); };
  if (init != os::InitSystem::openrc) return correctors::init_scripts(going_down);
  return correctors::openrc_scripts(os::rc_service(root), going_down);
}

}  // namespace

System::System(asio::io_context& io, const core::Paths& paths, const core::Settings& settings)
    : rtc_enabled(settings.rtc.enabled),
      clock(paths.root),
      adjuster(clock),
      scheduler(io),
      files(paths.root),
      writer(paths.root),
      rtc({paths.root, settings.rtc.device}, clock),
      init(os::init_system(paths.root)),
      services(io, bus_below(paths.root)),
      programs(io, paths.root),
      commands(init == os::InitSystem::systemd ? static_cast<core::CommandRunner&>(services) : programs),
      scripts(programs, scripts_of(init, paths.root)),
      stepper(adjuster, clock),
      rtc_writer(rtc, clock, scheduler),
      step_tool(commands, clock, settings.step.deadline),
      hwclock(commands, rtc, clock, settings.rtc),
      daemons(init == os::InitSystem::systemd ? static_cast<core::ServiceManager&>(services) : scripts, scheduler, settings.daemon,
              {&files, &commands}),
      hook_finder(paths.root),
      hooks(hook_finder, services, scheduler, paths.hooks_dir, settings.hooks),
      sync_watch(clock, scheduler),
      journal(files, writer, clock, paths.journal(), boot_id(paths.root)) {}

}  // namespace clockmend::app
