// The command watch: what libvirt says becomes notices to guests, their reports become metrics.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/core/ports/files.hpp"
#include "agent/host/options.hpp"
#include "agent/host/watch/follower.hpp"
#include "agent/host/watch/guest.hpp"
#include "agent/host/watch/lease_desk.hpp"
#include "agent/host/watch/metrics.hpp"

namespace clockmend::host {

/// What it needs from the program around it.
struct WatchTools {
  asio::io_context& loop;
  core::ClockReader& clock;
  Session::InBacklog in_backlog;
  Spawn libvirt;  // starts clockmend-host-libvirt
  core::FileWriter& files;
  std::function<void(const std::string& line)> log;
  std::function<void(const std::string& status)> status;  // one line for the service manager
};

class Watch final : public LeaseBook {
 public:
  Watch(WatchCommand command, WatchTools tools);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// The work then happens in the loop. busy, not_permitted, ...: the control socket.
  [[nodiscard]] core::Status start(core::StreamListener& listener);

  // LeaseBook
  [[nodiscard]] std::string why_not(const LeaseQuery& query) const override;
  [[nodiscard]] std::vector<LeasedGuest> look_up(const LeaseQuery& query) const override;
  [[nodiscard]] bool visiting(const std::string& socket) const override;
  void hold(const std::string& socket) override;
  void release(const std::string& socket) override;
  void told(const std::string& socket) override;

 private:
  using GuestPtr = std::shared_ptr<Guest>;

  [[nodiscard]] Follower::Listener listener();
  void on_domain(const Domain& domain);
  void on_listed();
  void on_life(const Lifecycle& life);
  void on_lost(const std::string& why);

  [[nodiscard]] GuestPtr learn(const Domain& domain);
  void forget(const std::string& uuid);
  [[nodiscard]] GuestPtr by_socket(const std::string& socket) const;
  void want(const GuestPtr& guest, core::NoticeEvent event);
  [[nodiscard]] bool may_enter(const Guest& guest) const;
  void go(const GuestPtr& guest);
  void next_in_line();
  [[nodiscard]] asio::awaitable<void> visit(GuestPtr guest);
  [[nodiscard]] asio::awaitable<NotifyResult> speak(const Guest& guest, std::string id, std::optional<Errand> errand);
  void after_telling(Guest& guest, const Errand& errand, const std::string& id, const NotifyResult& result);
  void after_looking(Guest& guest, const NotifyResult& result);
  void later(const GuestPtr& guest);
  void changed();
  void publish();
  [[nodiscard]] core::MonotonicPoint now() const { return tools_.clock.snapshot().monotonic; }

  WatchCommand command_;
  WatchTools tools_;
  LeaseDesk desk_;
  Follower follower_;
  std::map<std::string, GuestPtr> guests_;   // by UUID
  std::set<std::string> listed_;             // of the list that comes in
  std::map<std::string, std::size_t> held_;  // sockets lent to visitors
  std::deque<GuestPtr> line_;                // wait for their turn
  std::size_t visits_ = 0;                   // going on
  std::uint64_t notices_ = 0;
  std::uint64_t sessions_ = 0;
  bool complete_ = false;  // the list is known
  Metrics metrics_;
  asio::steady_timer publish_at_;
  bool dirty_ = false;
  std::string lost_why_;
  std::string metrics_problem_;
};

}  // namespace clockmend::host
