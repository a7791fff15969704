#include "agent/app/system.hpp"

namespace clockmend::app {
namespace {

// Names this boot: a journal of another one means nothing (random(4), /proc/sys/kernel/random/boot_id).
std::string boot_id() {
  os::PosixFileReader proc;
  const auto text = proc.read("/proc/sys/kernel/random/boot_id", 64);
  return text ? text->substr(0, text->find('\n')) : std::string("unknown");
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
      services(io),
      stepper(adjuster, clock),
      rtc_writer(rtc, clock, scheduler),
      daemons(services, scheduler, settings.daemon),
      journal(files, writer, paths.journal(), boot_id()) {}

}  // namespace clockmend::app
