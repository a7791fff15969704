#include "agent/host/watch/lease_desk.hpp"

#include <algorithm>
#include <utility>

#include "agent/host/verdict.hpp"

namespace clockmend::host {

core::Status LeaseDesk::start(core::StreamListener& listener) {
  // Who may connect is the socket's mode: 0600.
  return listener.start([this](std::unique_ptr<core::ByteStream> client, const core::PeerCredentials&) { admit(std::move(client)); });
}

void LeaseDesk::admit(std::unique_ptr<core::ByteStream> stream) {
  const Key key = ++next_;
  Visitor& visitor = visitors_[key];
  visitor.stream = std::move(stream);
  visitor.stream->start([this, key](std::string_view bytes, core::Arrival) { hear(key, bytes); },
                        [this, key](core::StreamState state, const std::string&) {
                          if (state == core::StreamState::closed || state == core::StreamState::error) leave(key);
                        });
}

void LeaseDesk::hear(Key key, std::string_view bytes) {
  const auto visitor = visitors_.find(key);
  if (visitor == visitors_.end()) return;
  visitor->second.reader.feed(bytes);
  while (const std::optional<Line> line = visitor->second.reader.next()) {
    answer(key, line->text);
    if (!visitors_.contains(key)) return;
  }
  if (visitor->second.reader.oversize() > 0) refuse(key, "the line is too long");
}

void LeaseDesk::answer(Key key, const std::string& line) {
  Visitor& visitor = visitors_.at(key);
  const core::Result<LeaseAsk> ask = parse_lease_ask(line);
  if (!ask) return refuse(key, ask.error().text);
  if (++visitor.asked > 2 * kMaxGuests) return refuse(key, "too many guests");
  if (const auto* socket = std::get_if<AskSocket>(&*ask)) visitor.query.sockets.push_back(socket->path);
  if (const auto* domain = std::get_if<AskDomain>(&*ask)) visitor.query.domains.push_back(domain->name);
  if (std::holds_alternative<AskAll>(*ask)) visitor.query.all = true;
  if (const auto* done = std::get_if<TellDone>(&*ask); done != nullptr && done->verdict == static_cast<int>(Verdict::done))
    book_.told(done->socket);
  if (std::holds_alternative<AskEnd>(*ask)) lend(key);
}

void LeaseDesk::lend(Key key) {
  Visitor& visitor = visitors_.at(key);
  if (visitor.waiting || !visitor.guests.empty()) return refuse(key, "asked twice");
  const std::string why = book_.why_not(visitor.query);
  if (!why.empty()) return refuse(key, why);
  visitor.guests = book_.look_up(visitor.query);
  // From now on we do not enter; where we are, we leave within a second.
  for (const LeasedGuest& guest : visitor.guests) book_.hold(guest.socket);
  visitor.waiting = true;
  let_go(key);
}

void LeaseDesk::let_go(Key key) {
  Visitor& visitor = visitors_.at(key);
  const bool occupied =
      std::any_of(visitor.guests.begin(), visitor.guests.end(), [this](const LeasedGuest& guest) { return book_.visiting(guest.socket); });
  if (!visitor.waiting || occupied) return;
  visitor.waiting = false;
  std::string lines;
  for (const LeasedGuest& guest : visitor.guests) lines += lease_line(LeaseAnswer{guest});
  lines += lease_line(LeaseAnswer{LeaseGo{}});
  if (!visitor.stream->send(lines)) refuse(key, "too many guests for one answer");
}

void LeaseDesk::on_left() {
  std::vector<Key> keys;
  for (const auto& [key, visitor] : visitors_)
    if (visitor.waiting) keys.push_back(key);
  for (const Key key : keys) let_go(key);
}

void LeaseDesk::refuse(Key key, const std::string& why) {
  core::ByteStream& stream = *visitors_.at(key).stream;
  static_cast<void>(stream.send(lease_line(LeaseAnswer{LeaseNo{why}})));
  stream.close();
  leave(key);
}

void LeaseDesk::leave(Key key) {
  const auto found = visitors_.find(key);
  if (found == visitors_.end()) return;
  const std::vector<LeasedGuest> guests = std::move(found->second.guests);
  visitors_.erase(found);
  for (const LeasedGuest& guest : guests) book_.release(guest.socket);
}

}  // namespace clockmend::host
