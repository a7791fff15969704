#include "agent/host/watch/watch.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

#include "agent/host/exchange.hpp"
#include "agent/host/selection.hpp"
#include "agent/host/words.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::host {

namespace {

// A port serves one client at a time: whoever comes next waits no longer than this.
constexpr core::milliseconds kVisit{900};
// Many guests that change at once make one file.
constexpr core::milliseconds kPublish{500};

// What a guest that is not told now may hear in a moment.
bool may_change(Verdict verdict) {
  return verdict == Verdict::no_agent || verdict == Verdict::timeout || verdict == Verdict::busy || verdict == Verdict::protocol;
}

std::string seen_from_here(const NotifyResult& result) {
  const auto best = best_of(result.rounds);
  return best ? ", " + in_words(guest_offset(*best)) + " (+- " + wire::human(round_trip(*best) / 2, false) + ")" : "";
}

}  // namespace

Watch::Watch(WatchCommand command, WatchTools tools)
    : command_(std::move(command)),
      tools_(std::move(tools)),
      desk_(*this),
      follower_(tools_.loop, tools_.libvirt, command_.uri, listener()),
      publish_at_(tools_.loop) {}

Follower::Listener Watch::listener() {
  return {[this](const Domain& domain) { on_domain(domain); }, [this] { on_listed(); }, [this](const Lifecycle& life) { on_life(life); },
          [this](const std::string& why) { on_lost(why); }};
}

core::Status Watch::start(core::StreamListener& listener) {
  if (auto started = desk_.start(listener); !started) return started;
  follower_.start();
  changed();
  return core::success();
}

// What libvirt says.

Watch::GuestPtr Watch::learn(const Domain& domain) {
  listed_.insert(domain.uuid);
  if (!domain.active) {
    forget(domain.uuid);
    return nullptr;
  }
  GuestPtr& guest = guests_[domain.uuid];
  if (!guest) guest = std::make_shared<Guest>(tools_.loop);
  guest->domain = domain;
  changed();
  return guest;
}

void Watch::forget(const std::string& uuid) {
  const auto found = guests_.find(uuid);
  if (found == guests_.end()) return;
  Guest& guest = *found->second;
  guest.domain.active = guest.domain.running = false;
  guest.errand.reset();
  guest.awaited.reset();
  guest.again.cancel();
  guests_.erase(found);
  changed();
}

void Watch::on_domain(const Domain& domain) {
  // Its port may have come just now.
  if (const GuestPtr guest = learn(domain); guest && guest->errand) go(guest);
}

void Watch::on_listed() {
  std::vector<std::string> gone;
  for (const auto& [uuid, guest] : guests_)
    if (!listed_.contains(uuid)) gone.push_back(uuid);
  for (const std::string& uuid : gone) forget(uuid);
  complete_ = true;
  ++metrics_.connections;
  lost_why_.clear();
  tools_.log("connected to libvirt: " + std::to_string(guests_.size()) + " guests run");
  // Nobody knows what happened while we did not hear; a guest whose clock is right does nothing.
  if (metrics_.connections > 1)
    for (const auto& [uuid, guest] : guests_) want(guest, core::NoticeEvent::resumed);
  changed();
}

void Watch::on_life(const Lifecycle& life) {
  ++metrics_.events;
  const GuestPtr guest = learn(life.domain);
  tools_.log(printable(life.domain.name) + ": " + to_string(static_cast<LifeEvent>(life.event)) + " (detail " +
             std::to_string(life.detail) + ")");
  if (!guest) return;
  const auto event = guest->story.hear(life.event, life.detail, life.domain.running);
  if (event) want(guest, *event);
}

void Watch::on_lost(const std::string& why) {
  if (why != lost_why_) tools_.log("no connection to libvirt: " + printable(why));
  lost_why_ = why;
  complete_ = false;
  listed_.clear();
  changed();
}

// What a guest is told.

void Watch::want(const GuestPtr& guest, core::NoticeEvent event) {
  guest->errand = Errand{event, now(), 0};
  go(guest);
}

// A port that was lent to a visitor is entered when release() says so.
bool Watch::may_enter(const Guest& guest) const {
  return guest.reachable() && (guest.errand || guest.awaited) && !held_.contains(guest.domain.socket);
}

void Watch::go(const GuestPtr& guest) {
  if (guest->visiting || guest->queued || !may_enter(*guest)) return;
  guest->again.cancel();
  guest->queued = true;
  line_.push_back(guest);
  next_in_line();
}

void Watch::next_in_line() {
  while (visits_ < command_.parallel && !line_.empty()) {
    const GuestPtr guest = line_.front();
    line_.pop_front();
    guest->queued = false;
    // What was queued may have been told by a visitor, or the guest may have gone.
    if (!may_enter(*guest)) continue;
    guest->visiting = true;
    ++visits_;
    asio::co_spawn(tools_.loop, visit(guest), asio::detached);
  }
}

asio::awaitable<void> Watch::visit(GuestPtr guest) {
  const std::optional<Errand> errand = std::exchange(guest->errand, std::nullopt);
  const std::string id = errand ? "watch-" + std::to_string(command_.nonce) + "-" + std::to_string(++notices_) : guest->awaited->id;
  const NotifyResult result = co_await speak(*guest, id, errand);
  guest->visiting = false;
  --visits_;
  if (errand) {
    after_telling(*guest, *errand, id, result);
  } else {
    after_looking(*guest, result);
  }
  desk_.on_left();
  later(guest);
  next_in_line();
  changed();
}

asio::awaitable<NotifyResult> Watch::speak(const Guest& guest, std::string id, std::optional<Errand> errand) {
  NotifyOptions options;
  options.socket = guest.domain.socket;
  options.domain = guest.domain.name;
  options.deadline = kVisit;
  options.answer_deadline = kVisit;
  options.nonce = command_.nonce + ++sessions_;
  // On the heap: its buffer would make every coroutine frame larger.
  const auto connection = std::make_unique<Connection>(tools_.loop, tools_.clock);
  if (errand) {
    options.notice.event = errand->event;
    options.notice.id = id;
  }
  Session session(*connection, std::move(options), tools_.in_backlog);
  if (errand) co_return co_await session.run();
  co_return co_await session.recall(std::move(id));
}

void Watch::after_telling(Guest& guest, const Errand& errand, const std::string& id, const NotifyResult& result) {
  ++metrics_.notices[result.verdict];
  const core::nanoseconds after = now() - errand.since;
  const std::string name = printable(guest.domain.name);
  if (result.verdict == Verdict::done) {
    tools_.log(name + ": told " + to_string(errand.event) + " " + wire::human(after, false) + " after the event" + seen_from_here(result));
    guest.awaited = Awaited{id, after, 0};
    return;
  }
  const bool again = may_change(result.verdict) && next_try(errand.tries) && guest.domain.active;
  tools_.log(name + ": not told: " + to_string(result.verdict) + ": " + printable(result.text) + (again ? "; trying again" : ""));
  // Something newer may have happened meanwhile.
  if (again && !guest.errand) guest.errand = Errand{errand.event, errand.since, errand.tries + 1};
}

void Watch::after_looking(Guest& guest, const NotifyResult& result) {
  if (!guest.awaited) return;
  const std::string name = printable(guest.domain.name);
  if (result.reply && result.reply->report) {
    tools_.log(name + ": " + headline(*result.reply->report));
    add_report(metrics_, *result.reply->report, guest.awaited->until_told);
    guest.awaited.reset();
    return;
  }
  if (next_look(++guest.awaited->tries)) return;
  ++metrics_.unreported;
  tools_.log(name + ": no report: " + printable(result.text));
  guest.awaited.reset();
}

void Watch::later(const GuestPtr& guest) {
  std::optional<core::milliseconds> pause;
  if (guest->errand) {
    pause = guest->errand->tries == 0 ? core::milliseconds::zero() : next_try(guest->errand->tries - 1);
  } else if (guest->awaited) {
    pause = next_look(guest->awaited->tries);
  }
  if (!pause) return;
  guest->again.expires_after(*pause);
  guest->again.async_wait([this, guest](const asio::error_code& cancelled) {
    if (!cancelled) go(guest);
  });
}

// LeaseBook.

std::string Watch::why_not(const LeaseQuery& query) const {
  const bool needs_list = query.all || !query.domains.empty();
  return needs_list && !complete_ ? "libvirt does not answer now" : "";
}

std::vector<LeasedGuest> Watch::look_up(const LeaseQuery& query) const {
  std::vector<LeasedGuest> found;
  for (const std::string& socket : query.sockets) found.push_back({socket, "", ""});
  for (const std::string& name : query.domains) {
    const auto at = std::find_if(guests_.begin(), guests_.end(), [&name](const auto& each) { return each.second->domain.name == name; });
    const Domain domain = at == guests_.end() ? Domain{"", name, "", false, false} : at->second->domain;
    const std::string trouble = trouble_with(domain);
    found.push_back({trouble.empty() ? domain.socket : "", name, trouble});
  }
  if (!query.all) return found;
  for (const auto& [uuid, guest] : guests_)
    if (guest->reachable()) found.push_back({guest->domain.socket, guest->domain.name, ""});
  return found;
}

Watch::GuestPtr Watch::by_socket(const std::string& socket) const {
  const auto found = std::find_if(guests_.begin(), guests_.end(), [&](const auto& each) { return each.second->domain.socket == socket; });
  return socket.empty() || found == guests_.end() ? nullptr : found->second;
}

bool Watch::visiting(const std::string& socket) const {
  const GuestPtr guest = by_socket(socket);
  return guest && guest->visiting;
}

void Watch::hold(const std::string& socket) {
  if (!socket.empty()) ++held_[socket];
}

void Watch::release(const std::string& socket) {
  const auto held = held_.find(socket);
  if (held == held_.end() || --held->second > 0) return;
  held_.erase(held);
  if (const GuestPtr guest = by_socket(socket)) go(guest);
}

void Watch::told(const std::string& socket) {
  if (const GuestPtr guest = by_socket(socket)) guest->errand.reset();
}

// What it tells.

void Watch::changed() {
  if (std::exchange(dirty_, true)) return;
  publish_at_.expires_after(kPublish);
  publish_at_.async_wait([this](const asio::error_code& cancelled) {
    dirty_ = false;
    if (!cancelled) publish();
  });
}

void Watch::publish() {
  metrics_.connected = complete_;
  metrics_.guests = static_cast<std::size_t>(
      std::count_if(guests_.begin(), guests_.end(), [](const auto& each) { return !each.second->domain.socket.empty(); }));
  tools_.status(complete_ ? std::to_string(metrics_.guests) + " guests with a port, " + std::to_string(metrics_.notices[Verdict::done]) +
                                " notices"
                          : "no connection to libvirt: " + printable(lost_why_));
  if (command_.metrics.empty()) return;
  const core::Status written = tools_.files.replace(command_.metrics, metrics_text(metrics_), false);
  if (!written && written.error().text != metrics_problem_) tools_.log("metrics: " + written.error().text);
  metrics_problem_ = written ? "" : written.error().text;
}

}  // namespace clockmend::host
