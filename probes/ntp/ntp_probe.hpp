// The NTP witness: asks when told to, and now and then by itself.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/ports/files.hpp"
#include "agent/core/probe.hpp"
#include "agent/core/settings.hpp"
#include "agent/core/status.hpp"
#include "probes/ntp/address_book.hpp"
#include "probes/ntp/discovery.hpp"
#include "probes/ntp/round.hpp"

namespace clockmend::probes {

/// Outlive the probe.
struct NtpPorts {
  core::DatagramFactory& network;
  core::Resolver& resolver;
  core::Scheduler& scheduler;
  core::RandomSource& random;
  core::FileReader& files;
};

class NtpProbe final : public core::Probe {
 public:
  /// `floor` is the latest time known to have passed: max(build date, last good time). It chooses the NTP era, so it must not
  /// come from the clock under suspicion.
  NtpProbe(NtpPorts ports, core::NtpSettings settings, core::RealtimePoint floor);

  [[nodiscard]] std::string_view name() const override { return "ntp"; }
  /// First verification after 10 s, then every idle_interval, +-10 %.
  void start(core::ObservationSink sink) override;
  /// A round begun before this call is abandoned: its replies may be from before whatever happened, and nothing in them tells
  /// (a reply that waited out a pause shows a short round trip). Only calls of the same loop turn share a round, and calls
  /// that come faster than the servers may be asked.
  void measure_now() override { measure_within({}); }
  void measure_within(core::nanoseconds spread) override;
  void own_change(const core::OwnChange& change) override;
  [[nodiscard]] core::ProbeHealth health() const override { return health_; }

  [[nodiscard]] std::vector<core::ServerStatus> servers() const;
  /// Reload: new servers and limits from the next packet on; a requested measurement starts over.
  void configure(core::NtpSettings settings);
  void set_floor(core::RealtimePoint floor) { floor_ = floor; }
  /// Whose configuration is read first; a unit name, empty if none is active.
  void set_active_daemon(std::string_view unit);
  /// What server discovery did, for `doctor`.
  [[nodiscard]] const ntp::Discovery& discovery() const { return discovery_; }

 private:
  enum class Why { idle, requested };

  void find_servers();
  void begin_round(Why why);
  void abandon_round();
  void join_known();
  void tell_deferral();
  std::shared_ptr<ntp::Server> record(const ntp::NamedEndpoint& named);
  void round_done(const ntp::RoundResult& result);
  [[nodiscard]] core::Observation conclude(const ntp::RoundResult& result);
  [[nodiscard]] std::string no_server_text() const;
  void idle_due();
  void schedule_idle(core::nanoseconds about);
  [[nodiscard]] bool asked_just_now() const;
  [[nodiscard]] bool may_join() const;

  NtpPorts ports_;
  core::NtpSettings settings_;
  core::RealtimePoint floor_;
  core::ObservationSink sink_;
  core::ProbeHealth health_;
  ntp::DaemonKind daemon_ = ntp::DaemonKind::unknown;
  ntp::Discovery discovery_;
  ntp::AddressBook book_;
  std::map<std::string, std::shared_ptr<ntp::Server>> records_;  // by identity of the endpoint
  std::unique_ptr<ntp::Round> round_;
  std::set<std::string> in_round_;
  Why why_ = Why::idle;
  core::TimerHandle idle_;
  core::TimerHandle begin_;    // a round that was asked for in this turn of the loop
  core::TimerHandle answer_;   // an answer that needs no packets
  core::nanoseconds retry_{};  // after a failed idle round; grows to idle_interval
};

}  // namespace clockmend::probes
