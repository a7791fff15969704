#include "agent/host/print.hpp"

#include "agent/host/exchange.hpp"
#include "agent/host/words.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::host {

namespace {

wire::ErrorClass class_of(Verdict verdict) {
  if (verdict == Verdict::timeout) return wire::ErrorClass::timeout;
  if (verdict == Verdict::refused) return wire::ErrorClass::not_permitted;
  return wire::ErrorClass::generic;
}

std::string exchange_text(const NotifyResult& result) {
  const auto best = best_of(result.rounds);
  if (!best) return "";
  return "exchange      " + std::to_string(result.rounds.size()) + " rounds, best round trip " + wire::human(round_trip(*best), false) +
         ": by this host's clock the guest was " + in_words(guest_offset(*best)) + "\n";
}

std::string acknowledged(const wire::NotifyReply& reply) {
  std::string text = std::string{"The notice was "} + to_string(reply.disposition) + ".";
  if (!reply.note.empty()) text += " " + printable(reply.note);
  return text + "\n";
}

}  // namespace

Printed print_result(const NotifyResult& result, bool json) {
  if (!result.reply) {
    const std::string why = std::string{to_string(result.verdict)} + ": " + printable(result.text);
    if (json) return {wire::error_reply(class_of(result.verdict), why, "") + "\n", ""};
    return {"", "clockmend-host: " + why + "\n"};
  }
  if (json) return {wire::notify_reply(*result.reply, "") + "\n", ""};
  const auto& report = result.reply->report;
  if (!report) return {acknowledged(*result.reply) + exchange_text(result), ""};
  return {headline(*report) + "\n\n" + exchange_text(result) + wire::render_report(*report), ""};
}

}  // namespace clockmend::host
