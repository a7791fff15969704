#include "agent/host/print.hpp"

#include <string_view>

#include "agent/host/exchange.hpp"
#include "agent/host/words.hpp"
#include "agent/wire/host.hpp"
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
  return text;
}

std::string why(const NotifyResult& result) { return std::string{to_string(result.verdict)} + ": " + printable(result.text); }

std::string measured_text(const NotifyResult& result, const wire::Quadruple& best) {
  const std::size_t count = result.rounds.size();
  return in_words(guest_offset(best)) + " (+- " + wire::human(round_trip(best) / 2, false) + ", " + std::to_string(count) +
         (count == 1 ? " round)" : " rounds)");
}

std::string measured_json(const NotifyResult& result, const wire::Quadruple& best) {
  return wire::measured_reply(
      {guest_offset(best).value.count(), (round_trip(best) / 2).count(), round_trip(best).count(), result.rounds.size()});
}

std::string in_one_sentence(const NotifyResult& result, bool measured) {
  const auto best = best_of(result.rounds);
  if (measured && best) return measured_text(result, *best);
  if (!result.reply) return why(result);
  return result.reply->report ? headline(*result.reply->report) : acknowledged(*result.reply);
}

// DEL and the C1 controls (U+0080..U+009F), which some terminals obey, need no escape in JSON (RFC 8259 section 7), so a guest could
// send them through. Only strings can hold them; there they become escapes.
std::string escaped(const std::string& json) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const unsigned next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0U;
    const bool c1 = byte == 0xc2U && next >= 0x80U && next < 0xa0U;
    if (byte != 0x7fU && !c1) {
      text += json[i];
      continue;
    }
    const unsigned code = c1 ? next : byte;
    text += "\\u00";
    text += kHex[code >> 4U];
    text += kHex[code & 15U];
    if (c1) ++i;
  }
  return text;
}

std::string reply_json(const NotifyResult& result, bool measured) {
  const auto best = best_of(result.rounds);
  if (measured && best) return measured_json(result, *best);
  if (!result.reply) return wire::error_reply(class_of(result.verdict), why(result), "");
  return escaped(wire::notify_reply(*result.reply, ""));
}

}  // namespace

Printed print_result(const NotifyResult& result, bool json) {
  if (json) return {reply_json(result, false) + "\n", ""};
  if (!result.reply) return {"", "clockmend-host: " + why(result) + "\n"};
  const auto& report = result.reply->report;
  if (!report) return {acknowledged(*result.reply) + "\n" + exchange_text(result), ""};
  return {headline(*report) + "\n\n" + exchange_text(result) + wire::render_report(*report), ""};
}

Printed print_measured(const Target& target, const NotifyResult& result, bool json) {
  if (json) return {reply_json(result, true) + "\n", ""};
  const auto best = best_of(result.rounds);
  if (!best) return {"", "clockmend-host: " + why(result) + "\n"};
  return {printable(target.name()) + ": " + measured_text(result, *best) + "\n", ""};
}

std::string print_line(const Target& target, const NotifyResult& result, bool measured, bool json) {
  if (json)
    return wire::guest_line(target.name(), to_string(result.verdict), static_cast<int>(result.verdict), reply_json(result, measured)) +
           "\n";
  return printable(target.name()) + ": " + in_one_sentence(result, measured) + "\n";
}

std::string print_summary(const Score& score, bool json) {
  if (json) return wire::summary_line({score.guests(), score.done(), static_cast<int>(score.verdict())}) + "\n";
  const std::size_t failed = score.guests() - score.done();
  std::string text = std::to_string(score.guests()) + (score.guests() == 1 ? " guest" : " guests");
  if (score.guests() > 0) text += ", " + std::to_string(score.done()) + " done";
  if (failed > 0) text += ", " + std::to_string(failed) + " not (" + to_string(score.verdict()) + ")";
  return text + "\n";
}

Verdict judged(const NotifyResult& result, std::optional<core::nanoseconds> max_offset) {
  const auto best = best_of(result.rounds);
  if (!max_offset || !best || result.verdict != Verdict::done) return result.verdict;
  return core::magnitude(guest_offset(*best)) > *max_offset + round_trip(*best) / 2 ? Verdict::off : Verdict::done;
}

}  // namespace clockmend::host
