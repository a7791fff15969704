#include "probes/ntp/ntp_probe.hpp"

#include <algorithm>
#include <utility>

#include "probes/ntp/address.hpp"
#include "probes/ntp/round_report.hpp"

namespace clockmend::probes {

namespace {

constexpr core::seconds kFirstVerification{10};
constexpr core::seconds kFirstRetry{64};
// Somebody suspects the clock and no server answered: a network that comes back seconds after a resume is worth asking.
constexpr core::seconds kFirstRetryOfRequest{8};
// After a measurement for a correction: until the RTC's edge is learned anew, a second pause would go unseen, and a
// quick majority leaves the slower servers unheard.
constexpr core::seconds kSecondLook{5};
// Requests of one loop turn: a notice and a tripwire that fire together.
constexpr core::milliseconds kSameTurn{5};
// For what follows a round's last look-up and retry.
constexpr core::milliseconds kSlack{500};

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& p : parts) out += (out.empty() ? "" : ", ") + p;
  return out;
}

}  // namespace

NtpProbe::NtpProbe(NtpPorts ports, core::NtpSettings settings, core::RealtimePoint floor)
    : ports_(ports), settings_(std::move(settings)), floor_(floor), book_(ports.resolver) {}

void NtpProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  configure(settings_);
}

void NtpProbe::configure(core::NtpSettings settings) {
  settings_ = std::move(settings);
  const bool asked = begin_ || (round_ && why_ == Why::requested);
  abandon_round();
  begin_.reset();
  retry_ = kFirstRetry;
  if (!sink_) return;
  if (!settings_.enabled) {
    idle_.reset();
    health_ = {core::ProbeState::off, "off by configuration", health_.last};
  } else {
    health_ = {core::ProbeState::starting, "no measurement yet", health_.last};
    find_servers();
    // Addresses are wanted before they are needed: right after a resume the resolver may be as unreachable as anything.
    book_.refresh(settings_.resolve_timeout, [this] { join_known(); });
    schedule_idle(kFirstVerification);
  }
  if (asked) measure_now();
}

void NtpProbe::set_active_daemon(std::string_view unit) {
  const auto kind = ntp::daemon_kind(unit);
  // "None active" is what it looks like while we have stopped it ourselves: keep what is known.
  if (kind == ntp::DaemonKind::unknown || kind == daemon_) return;
  daemon_ = kind;
  if (sink_ && settings_.enabled && !round_) find_servers();
}

void NtpProbe::find_servers() {
  std::vector<ntp::ServerName> servers;
  if (!settings_.servers.empty()) {
    discovery_ = {};
    discovery_.source = "configuration";
    for (const auto& host : settings_.servers) servers.push_back({host, settings_.port});
  } else if (settings_.discover) {
    discovery_ = ntp::discover(ports_.files, daemon_);
    servers = discovery_.servers;
    for (auto& s : servers)
      if (s.port == 123) s.port = settings_.port;
  }
  book_.configure(std::move(servers));
}

void NtpProbe::measure_within(core::nanoseconds spread) {
  if (!sink_) return;
  if (!settings_.enabled) {
    answer_ = ports_.scheduler.after(core::nanoseconds::zero(), [this] {
      sink_(core::MeasurementFailed{core::Witness::ntp, "NTP is off by configuration"});
    });
    return;
  }
  if (may_join()) {
    why_ = Why::requested;
    return tell_deferral();
  }
  abandon_round();
  // Witnesses inside the guest answer within this turn of the loop and may be enough for a step: sockets can wait for that.
  const auto part = static_cast<std::int64_t>(spread.count() > 0 ? ports_.random.next64() % 1024 : 0);
  begin_ = ports_.scheduler.after(spread / 1024 * part, [this] { begin_round(Why::requested); });
}

bool NtpProbe::may_join() const {
  if (!round_) return false;
  const bool same_turn = why_ == Why::requested && ports_.scheduler.now() - round_->started() <= kSameTurn;
  return same_turn || !round_->can_be_repeated();
}

void NtpProbe::own_change(const core::OwnChange& change) {
  if (change.what == core::OwnChange::What::step && round_) round_->own_step(change.after);
}

void NtpProbe::begin_round(Why why) {
  abandon_round();
  begin_.reset();
  why_ = why;
  // Files are read off the critical path: only where nobody waits, or nothing is known.
  if (why == Why::idle || book_.servers().empty()) find_servers();
  const core::nanoseconds timeout = settings_.server_timeout;
  const ntp::RoundPlan plan{
      floor_, core::Policy{}.ceiling, timeout, settings_.resolve_timeout + 2 * timeout + kSlack, settings_.wanted_error, why == Why::idle};
  const ntp::ExchangePorts ports{ports_.network, ports_.scheduler, ports_.random};
  round_ = std::make_unique<ntp::Round>(ports, plan, [this](const ntp::RoundResult& r) { round_done(r); });
  book_.refresh(settings_.resolve_timeout, [this] { join_known(); });
  join_known();
  if (why == Why::requested) tell_deferral();
}

// Whoever asked must not take the silence for a server's.
void NtpProbe::tell_deferral() {
  answer_ = ports_.scheduler.after(core::nanoseconds::zero(), [this] {
    if (round_ && round_->deferred())
      sink_(core::MeasurementFailed{core::Witness::ntp, "asked too often; it is asked again in a moment", true});
  });
}

void NtpProbe::abandon_round() {
  round_.reset();
  in_round_.clear();
}

void NtpProbe::join_known() {
  if (!round_) return;
  for (const auto& named : book_.known(settings_.max_servers)) {
    if (in_round_.size() >= settings_.max_servers) break;
    if (in_round_.insert(ntp::identity(named.endpoint)).second) round_->add(record(named));
  }
  round_->set_pending_names(book_.pending());
}

std::shared_ptr<ntp::Server> NtpProbe::record(const ntp::NamedEndpoint& named) {
  auto& server = records_[ntp::identity(named.endpoint)];
  if (!server) server = std::make_shared<ntp::Server>();
  server->endpoint = named.endpoint;
  server->name = named.name;
  return server;
}

void NtpProbe::round_done(const ntp::RoundResult& result) {
  // Kept until the end: it is the caller. The sink may ask for a new one.
  const auto finished = std::move(round_);
  abandon_round();
  remember(result);
  std::set<std::string> current;
  for (const auto& named : book_.known(settings_.max_servers)) current.insert(ntp::identity(named.endpoint));
  std::erase_if(records_, [&](const auto& r) { return !current.contains(r.first); });
  sink_(conclude(result));
}

core::Observation NtpProbe::conclude(const ntp::RoundResult& result) {
  if (result.selection.usable) {
    auto reading = to_reading(result);
    if (book_.duplicates() > 0) reading.detail += "; one address given more than once counts once";
    retry_ = kFirstRetry;
    schedule_idle(why_ == Why::requested ? std::min<core::nanoseconds>(kSecondLook, settings_.idle_interval) : settings_.idle_interval);
    health_ = {core::ProbeState::running, std::to_string(result.answers.size()) + " servers from " + discovery_.source, reading};
    return reading;
  }
  const auto why = result.answers.empty() ? no_server_text() : failure_text(result);
  health_ = {core::ProbeState::degraded, why, health_.last};
  if (const auto when = ntp::deferred_until(result); when && why_ == Why::requested) {
    idle_ = ports_.scheduler.at(*when, [this] { begin_round(Why::requested); });
    return core::MeasurementFailed{core::Witness::ntp, why, true};
  }
  const bool silence = std::none_of(result.answers.begin(), result.answers.end(), [](const auto& a) { return a.sample.has_value(); });
  if (why_ == Why::requested && silence) retry_ = kFirstRetryOfRequest;
  schedule_idle(std::min<core::nanoseconds>(retry_, settings_.idle_interval));
  retry_ = std::min<core::nanoseconds>(2 * retry_, settings_.idle_interval);
  return core::MeasurementFailed{core::Witness::ntp, why};
}

std::string NtpProbe::no_server_text() const {
  if (!book_.servers().empty()) {
    const auto trouble = book_.trouble();
    return "no NTP server has a usable address: " + (trouble.empty() ? "none of those configured can be asked" : trouble);
  }
  if (!settings_.discover) return "no NTP server configured and discovery is off";
  std::string text = "no NTP server configured: looked at " + joined(discovery_.looked);
  if (!discovery_.notes.empty()) text += " (" + joined(discovery_.notes) + ")";
  return text;
}

void NtpProbe::schedule_idle(core::nanoseconds about) {
  // 0.9 .. 1.1: guests that were started or resumed together must not ask together for ever.
  const auto permille = static_cast<std::int64_t>(900 + ports_.random.next64() % 201);
  idle_ = ports_.scheduler.after(about / 1000 * permille, [this] { idle_due(); });
}

void NtpProbe::idle_due() {
  if (round_) return;  // its end schedules the next
  if (asked_just_now()) return schedule_idle(ntp::RequestBudget::kHeadway);
  begin_round(Why::idle);
}

bool NtpProbe::asked_just_now() const {
  const auto now = ports_.scheduler.now();
  return std::any_of(records_.begin(), records_.end(), [&](const auto& r) { return r.second->budget.asked_within(core::seconds{2}, now); });
}

std::vector<core::ServerStatus> NtpProbe::servers() const {
  std::vector<core::ServerStatus> out;
  for (const auto& named : book_.known(settings_.max_servers)) {
    const auto found = records_.find(ntp::identity(named.endpoint));
    if (found != records_.end()) {
      out.push_back(ntp::to_status(*found->second));
    } else {
      out.push_back(ntp::to_status({named.endpoint, named.name, {}, "not asked", {}}));
    }
  }
  return out;
}

}  // namespace clockmend::probes
