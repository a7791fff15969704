// What a guest says to clockmend-host: it may be anybody's guest. Input: bytes as they come, pieces end in 0xFE.
#include "agent/wire/reply.hpp"
#include "agent/host/answer.hpp"
#include "agent/host/exchange.hpp"
#include "agent/host/line_reader.hpp"
#include "agent/host/words.hpp"
#include "agent/wire/text.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace host = clockmend::host;
namespace wire = clockmend::wire;
using clockmend::fuzz::must;
using clockmend::fuzz::must_be_harmless;

namespace {

/// What the session makes of an answer to clock-exchange: nothing impossible leaves the host, and no arithmetic overflows.
void check_exchange(const wire::ExchangeReply& stamps) {
  constexpr std::int64_t kSent = 1'735'689'600'000'000'000;
  std::vector<wire::Quadruple> rounds;
  for (const std::int64_t trip : {std::int64_t{0}, std::int64_t{200'000}, std::int64_t{5'000'000'000}}) {
    const wire::Quadruple q{kSent, stamps.t2, stamps.t3, kSent + trip};
    (void)host::guest_offset(q);
    if (!host::plausible(q)) continue;
    must(host::round_trip(q).count() >= 0 && host::round_trip(q).count() <= trip, "a round trip is within what was waited for");
    rounds.push_back(q);
  }
  (void)host::enough(rounds);
  must(host::best_of(rounds).has_value() == !rounds.empty(), "the best of some is one of them");
}

void check(const std::string& line) {
  const auto reply = wire::parse_reply(line);
  if (!reply) return must_be_harmless(host::printable(reply.error().text));
  if (reply->error) {
    must_be_harmless(host::printable(reply->error->text));
    must(host::verdict_of(reply->error->error_class) != host::Verdict::done, "an error is no success");
  }
  (void)wire::parse_integer(reply->value_json);
  if (const auto stamps = wire::parse_exchange_reply(reply->value_json)) check_exchange(*stamps);
  if (const auto notify = wire::parse_notify_reply(reply->value_json)) {
    must_be_harmless(host::printable(notify->note));
    (void)host::verdict_of(*notify);
  }
  if (const auto notify = wire::parse_notify_reply(reply->value_json); notify && notify->report) {
    must_be_harmless(host::headline(*notify->report));
    must_be_harmless(wire::render_report(*notify->report));
  }
  if (const auto page = wire::parse_history_page(reply->value_json))
    for (const auto& record : page->records) must_be_harmless(wire::render_report_brief(record));
  if (const auto status = wire::render_status_text(reply->value_json)) must_be_harmless(*status);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  host::LineReader reader(wire::kMaxReply);
  while (!in.empty()) {
    reader.feed(in.text_until('\xfe'));
    while (const auto line = reader.next()) {
      must(line->text.size() <= wire::kMaxReply, "a line has its limit");
      check(line->text);
    }
  }
  return 0;
}
