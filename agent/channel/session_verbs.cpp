// What each verb does, but for those that start work (session_notices.cpp).
#include "agent/channel/session.hpp"

namespace clockmend::channel {
namespace {

/// Why this peer may not ask this; nullptr: it may.
struct Permission {
  Peer peer;
  const char* operator()(const wire::ClockNotify& r) const {
    if (peer == Peer::anybody) return "only root and the clockmend group may send notices";
    // Whoever is inside the guest reads the guest's own clock: its exchange would prove a wrong clock right.
    if (peer == Peer::administrator && !r.exchange.empty()) return "an exchange counts on the host's port only";
    return nullptr;
  }
  const char* operator()(const wire::ClockResync& r) const {
    if (peer == Peer::anybody) return "only root and the clockmend group may start a correction";
    if (peer == Peer::host && r.force) return "force is for an administrator inside the guest";
    if (peer == Peer::host && r.backend) return "the backend is chosen inside the guest";
    return nullptr;
  }
  const char* operator()(const wire::GuestSetTime& r) const {
    if (peer == Peer::anybody) return "only root and the clockmend group may start a correction";
    if (peer == Peer::administrator && r.time) return "a time is taken on the host's port only";
    return nullptr;
  }
  template <typename Other>
  const char* operator()(const Other&) const {
    return nullptr;
  }
};

}  // namespace

bool Session::permitted(const wire::Request& request, std::string_view id_json) {
  // Class and words of the QEMU guest agent (qapi/qmp-dispatch.c): clients look for "has been disabled".
  if (const char* list = shared_.settings.list_against(wire::verb_of(request))) {
    refuse(request, wire::ErrorClass::command_not_found, std::string("the command has been disabled by ") + list, id_json);
    return false;
  }
  const char* why = std::visit(Permission{peer_}, request);
  if (why != nullptr) refuse(request, wire::ErrorClass::not_permitted, why, id_json);
  return why == nullptr;
}

void Session::handle(const wire::GuestSync& request, const std::string& id) { reply(wire::integer_reply(request.id, id)); }

/// The 0xFF in front lets the client throw away what an earlier one left unread.
void Session::handle(const wire::GuestSyncDelimited& request, const std::string& id) {
  reply('\xff' + wire::integer_reply(request.id, id));
}

void Session::handle(const wire::GuestPing&, const std::string& id) { reply(wire::empty_reply(id)); }

void Session::handle(const wire::GuestInfo&, const std::string& id) {
  std::vector<std::string> disabled;
  for (const std::string_view verb : wire::all_verbs())
    if (shared_.settings.list_against(verb) != nullptr) disabled.emplace_back(verb);
  reply(wire::info_reply(shared_.version, disabled, id));
}

void Session::handle(const wire::GuestGetTime&, const std::string& id) {
  reply(wire::integer_reply(shared_.agent.snapshot().realtime.time_since_epoch().count(), id));
}

void Session::handle(const wire::ClockExchange&, const std::string& id) {
  const core::ClockSnapshot t3 = shared_.agent.snapshot();
  ledger_.record(read_at_, t3);
  reply(wire::exchange_reply({read_at_.realtime.time_since_epoch().count(), t3.realtime.time_since_epoch().count()}, id));
}

void Session::handle(const wire::ClockStatus&, const std::string& id) { reply(wire::status_reply(shared_.agent.status(), id)); }

/// One more than asked tells whether there are more.
void Session::handle(const wire::ClockHistory& request, const std::string& id) {
  std::vector<std::string> lines = shared_.agent.history(request.limit + 1, request.before);
  const bool more = lines.size() > request.limit;
  if (more) lines.resize(request.limit);
  reply(wire::history_reply(lines, more, id));
}

}  // namespace clockmend::channel
