#include "agent/app/recovery.hpp"

#include <asio/io_context.hpp>

#include "agent/app/executor.hpp"
#include "agent/app/history.hpp"
#include "agent/app/interrupted_report.hpp"
#include "agent/app/log.hpp"
#include "agent/app/system.hpp"

namespace clockmend::app {

int recover_and_exit(const core::Paths& paths, const core::Settings& settings, bool dead_man) {
  asio::io_context io;
  Log log{settings.log.level, paths.root};
  System system{io, paths, settings};
  int code = 0;
  // The agent is gone, whatever the reason: nobody vouches for the clock any more.
  if (!dead_man) {
    (void)system.writer.remove(paths.status());
    (void)system.writer.remove(paths.valid_flag());
  }
  Executor executor{system.correctors(), system.journal, system.scheduler, settings.policy,
                    [&](const std::string& why) { log.text().error(why); }};
  History history{system.files, system.writer, paths.history(), settings.history_max_records};
  history.load();
  if (const auto report = dead_man ? std::nullopt : record_interrupted(system.journal, history, system.clock)) log.report(*report);
  // Posted, so that an answer that comes at once finds the loop running.
  const core::TimerHandle begin = system.scheduler.after(core::nanoseconds::zero(), [&] {
    executor.recover([&](const engine::DaemonOutcome& outcome) {
      if (outcome.any && outcome.ok)
        log.text().warn("the agent ended inside a correction; the time daemon was started again: {}", outcome.detail);
      if (!outcome.ok) {
        log.text().error("the agent ended inside a correction and the time daemon could not be started again: {}", outcome.detail);
        code = 1;
      }
      io.stop();
    });
  });
  io.run();
  return code;
}

}  // namespace clockmend::app
