// The connection to systemd, shared by the operations under way.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/os/bus_connection.hpp"
#include "agent/os/bus_message.hpp"
#include "agent/os/systemd_services.hpp"

namespace clockmend::os {

inline constexpr const char* kSystemdService = "org.freedesktop.systemd1";
inline constexpr const char* kSystemdPath = "/org/freedesktop/systemd1";
inline constexpr const char* kSystemdManager = "org.freedesktop.systemd1.Manager";
inline constexpr const char* kBusProperties = "org.freedesktop.DBus.Properties";

/// One request to systemd from its first call to its answer.
class SystemdOperation {
 public:
  virtual ~SystemdOperation() = default;
  virtual void begin() = 0;
  virtual void job_removed(const std::string& job, const std::string& result) = 0;
  virtual void fail(core::Error error) = 0;
};

class SystemdSession : public std::enable_shared_from_this<SystemdSession> {
 public:
  SystemdSession(asio::io_context& io, SystemdPlace place);

  void run(std::shared_ptr<SystemdOperation> operation);
  void finished(const std::shared_ptr<SystemdOperation>& operation);
  /// Everything under way is forgotten without an answer.
  void shut_down();
  [[nodiscard]] bool is_shut_down() const { return shut_down_; }

  /// Null while not connected.
  [[nodiscard]] sd_bus* bus() const { return connection_ ? connection_->bus() : nullptr; }
  void kick();
  [[nodiscard]] asio::io_context& io() const { return io_; }
  /// The result of a job that was removed before the reply that names it was looked at.
  [[nodiscard]] std::optional<std::string> removed_job(const std::string& job) const;

 private:
  core::Status ensure_connected();
  core::Status subscribe(bool peer);
  void on_lost(const std::string& why);
  void disconnect();
  void disconnect_when_idle();
  static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error* error);

  asio::io_context& io_;
  SystemdPlace place_;
  std::shared_ptr<BusConnection> connection_;
  SlotPtr job_removed_;
  std::set<std::shared_ptr<SystemdOperation>> operations_;
  std::deque<std::pair<std::string, std::string>> removed_jobs_;  // path, result
  asio::steady_timer idle_;
  bool shut_down_ = false;
};

}  // namespace clockmend::os
