#include "agent/os/systemd_session.hpp"

#include <asio/post.hpp>
#include <utility>
#include <vector>

#include "agent/os/errors.hpp"

namespace clockmend::os {
namespace {

constexpr const char* kPrivateSocket = "unix:path=/run/systemd/private";  // where systemctl goes without a bus; root only

constexpr std::size_t kMaxOperations = 64;
constexpr std::size_t kMaxRemovedJobs = 64;

}  // namespace

SystemdSession::SystemdSession(asio::io_context& io, SystemdPlace place) : io_(io), place_(std::move(place)), idle_(io) {
  if (place_.bus_address.empty() && place_.private_address.empty()) place_.private_address = kPrivateSocket;
}

void SystemdSession::run(std::shared_ptr<SystemdOperation> operation) {
  if (operations_.size() >= kMaxOperations) {
    return operation->fail({core::ErrorCode::busy, "too many requests to systemd at once"});
  }
  idle_.cancel();
  operations_.insert(operation);
  if (auto connected = ensure_connected(); !connected) return operation->fail(connected.error());
  operation->begin();
  kick();
}

void SystemdSession::finished(const std::shared_ptr<SystemdOperation>& operation) {
  operations_.erase(operation);
  if (!operations_.empty()) return;
  removed_jobs_.clear();
  if (connection_ && !shut_down_) disconnect_when_idle();
}

void SystemdSession::shut_down() {
  shut_down_ = true;
  operations_.clear();
  disconnect();
}

void SystemdSession::kick() {
  if (connection_) connection_->kick();
}

std::optional<std::string> SystemdSession::removed_job(const std::string& job) const {
  for (const auto& [path, result] : removed_jobs_) {
    if (path == job) return result;
  }
  return std::nullopt;
}

core::Status SystemdSession::ensure_connected() {
  if (connection_) return core::success();
  const auto lost = [weak = weak_from_this()](const std::string& why) {
    if (const auto self = weak.lock()) self->on_lost(why);
  };
  bool peer = false;
  auto opened = BusConnection::open(io_, {place_.bus_address, false}, lost);
  if (!opened && !place_.private_address.empty()) {
    auto direct = BusConnection::open(io_, {place_.private_address, true}, lost);
    peer = direct.ok();
    if (peer) opened = std::move(direct);
  }
  if (!opened) return opened.error();
  connection_ = std::move(opened).value();
  auto subscribed = subscribe(peer);
  if (!subscribed) disconnect();
  return subscribed;
}

// Signals come only to those who asked for them, and the match must be in force before the first job is queued: the bus handles
// what we send in order, so no reply needs waiting for.
core::Status SystemdSession::subscribe(bool peer) {
  sd_bus_slot* slot = nullptr;
  int rc = ::sd_bus_match_signal_async(bus(), &slot, peer ? nullptr : kSystemdService, kSystemdPath, kSystemdManager, "JobRemoved",
                                       &SystemdSession::on_job_removed, nullptr, this);
  job_removed_.reset(slot);
  const auto ignore_reply = [](sd_bus_message*, void*, sd_bus_error*) { return 0; };
  if (rc >= 0) {
    rc = ::sd_bus_call_method_async(bus(), nullptr, kSystemdService, kSystemdPath, kSystemdManager, "Subscribe", ignore_reply, nullptr, "");
  }
  if (rc < 0) return core::Error{core::ErrorCode::unavailable, errno_error(-rc, "D-Bus").text};
  return core::success();
}

int SystemdSession::on_job_removed(sd_bus_message* message, void* self, sd_bus_error*) {
  const auto session = static_cast<SystemdSession*>(self)->shared_from_this();
  std::uint32_t id = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  const char* result = nullptr;
  if (::sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0) return 0;
  if (session->operations_.empty()) return 0;
  session->removed_jobs_.emplace_back(job, result);
  if (session->removed_jobs_.size() > kMaxRemovedJobs) session->removed_jobs_.pop_front();
  const std::vector<std::shared_ptr<SystemdOperation>> operations{session->operations_.begin(), session->operations_.end()};
  for (const auto& operation : operations) operation->job_removed(job, result);
  return 0;
}

void SystemdSession::on_lost(const std::string& why) {
  disconnect();
  const std::vector<std::shared_ptr<SystemdOperation>> operations{operations_.begin(), operations_.end()};
  for (const auto& operation : operations) operation->fail({core::ErrorCode::unavailable, why});
}

void SystemdSession::disconnect() {
  idle_.cancel();
  job_removed_.reset();
  removed_jobs_.clear();
  if (const auto connection = std::exchange(connection_, nullptr)) connection->close();
}

void SystemdSession::disconnect_when_idle() {
  idle_.expires_after(place_.idle);
  idle_.async_wait([self = shared_from_this()](const asio::error_code& ec) {
    if (!ec && self->operations_.empty()) self->disconnect();
  });
}

}  // namespace clockmend::os
