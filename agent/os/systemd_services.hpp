// systemd over D-Bus (org.freedesktop.systemd1(5)).
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/ports/command_runner.hpp"
#include "agent/core/ports/dead_man.hpp"
#include "agent/core/ports/hooks.hpp"
#include "agent/core/ports/service_manager.hpp"

namespace clockmend::os {

struct SystemdPlace {
  std::string bus_address;  // empty: the system bus
  /// Tried where the bus cannot be reached: systemd itself, without a bus between. Empty: systemd's own private socket if
  /// `bus_address` is empty too, else none.
  std::string private_address;
  /// While subscribed, systemd tells about every job on the system, and an idle agent must not be woken by those: after this
  /// long without a request the connection is closed.
  core::milliseconds idle{10000};
};

/// Connects when first asked, disconnects after some idle seconds, connects anew after the bus went away. Calls under way when
/// the connection breaks are answered with `unavailable`.
class SystemdServices final : public core::ServiceManager, public core::CommandRunner, public core::HookRunner, public core::DeadMan {
 public:
  explicit SystemdServices(asio::io_context& io, SystemdPlace place = {});
  SystemdServices(const SystemdServices&) = delete;
  SystemdServices& operator=(const SystemdServices&) = delete;
  ~SystemdServices() override;

  void query(const std::string& unit, core::milliseconds deadline, core::ServiceManager::Reply reply) override;
  /// Answers only once the unit is inactive or failed. `cancelled` if somebody else's job took the place of ours.
  void stop(const std::string& unit, core::milliseconds deadline, core::ServiceManager::Reply reply) override;
  /// `invalid` for a masked unit, `unavailable` when something it depends on failed.
  void start(const std::string& unit, core::milliseconds deadline, core::ServiceManager::Reply reply) override;
  void system_stopping(core::milliseconds deadline, std::function<void(core::Result<bool>)> reply) override;
  /// As a transient unit with limits of its own: what runs there has neither our sandbox nor our right to set the clock.
  void run(const std::vector<std::string>& argv, core::milliseconds deadline, core::CommandRunner::Reply reply) override;
  /// Likewise, with the right to set the clock and the RTC; it does not outlive the service that we are.
  void run_clock_tool(const std::vector<std::string>& argv, core::milliseconds deadline, core::CommandRunner::Reply reply) override;
  /// Likewise, with everything root may do but setting the clock.
  void run_hook(const std::string& program, const std::vector<std::string>& environment, core::milliseconds deadline,
                core::CommandRunner::Reply reply) override;
  /// A transient timer: it lives on when we do not.
  void arm(const std::vector<std::string>& argv, core::milliseconds after, core::DeadMan::Reply reply) override;
  void disarm() override;

 private:
  std::uint64_t commands_run_ = 0;
  std::string dead_man_;
  std::shared_ptr<class SystemdSession> session_;
};

}  // namespace clockmend::os
