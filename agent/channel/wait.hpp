#pragma once

#include <string>

#include "agent/channel/session.hpp"

namespace clockmend::channel {

/// One request that is answered when its correction has ended. The agent holds only a weak reference: when the connection
/// ends, so does the wait, and the correction goes on without it.
struct Session::Wait {
  Wait(Shared& s, std::string id) : shared(s), id_json(std::move(id)) { ++shared.waiting; }
  ~Wait() { --shared.waiting; }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  Shared& shared;
  std::string id_json;
  wire::NotifyReply reply;  // all but the report
  Style style = Style::notify_reply;
  core::TimerHandle deadline;
};

}  // namespace clockmend::channel
