#include "agent/host/answer.hpp"

namespace clockmend::host {

Verdict verdict_of(core::Outcome outcome) {
  switch (outcome) {
    case core::Outcome::corrected:
    case core::Outcome::no_action:
    case core::Outcome::observed:
      return Verdict::done;
    case core::Outcome::refused:
      return Verdict::refused;
    case core::Outcome::failed:
      return Verdict::failed;
  }
  return Verdict::protocol;
}

Verdict verdict_of(const wire::NotifyReply& reply) {
  if (reply.report) return verdict_of(reply.report->outcome);
  return reply.disposition == wire::Disposition::stale ? Verdict::refused : Verdict::done;
}

Verdict verdict_of(wire::ErrorClass error) {
  switch (error) {
    case wire::ErrorClass::timeout:
      return Verdict::timeout;
    case wire::ErrorClass::not_permitted:
    case wire::ErrorClass::rate_limited:
      return Verdict::refused;
    case wire::ErrorClass::generic:
    case wire::ErrorClass::command_not_found:
      return Verdict::protocol;
  }
  return Verdict::protocol;
}

Verdict verdict_of(const core::Error& error) {
  switch (error.code) {
    case core::ErrorCode::timeout:
      return Verdict::timeout;
    case core::ErrorCode::busy:
      return Verdict::busy;
    case core::ErrorCode::not_found:
    case core::ErrorCode::not_permitted:
    case core::ErrorCode::unavailable:
      return Verdict::no_agent;
    case core::ErrorCode::unsupported:
    case core::ErrorCode::invalid:
    case core::ErrorCode::cancelled:
    case core::ErrorCode::io:
      return Verdict::protocol;
  }
  return Verdict::protocol;
}

}  // namespace clockmend::host
