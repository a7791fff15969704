// Bytes of a host or a local client to the protocol: line reader, request parser, session, rate limits, replies.
// Input: who it is, then pieces that end in 0xFE and an operand: what happens between them.
#include "tests/fuzz/targets/input.hpp"
#include "tests/unit/channel/rig.hpp"

namespace core = clockmend::core;
namespace wire = clockmend::wire;
namespace tests = clockmend::tests;
using clockmend::fuzz::must;

namespace {

void check_replies(tests::FarEnd& far) {
  for (const std::string& line : far.lines()) {
    must(line.size() <= wire::kMaxReply, "a reply has its limit", line);
    must(line.find_first_of("\r\n") == std::string::npos, "a reply is one line", line);
    must(static_cast<bool>(wire::parse_reply(line)), "what we say can be read", line);
  }
  must(far.received.empty(), "a reply ends with a newline", far.received);
}

/// What a parsed request says, said again, means the same.
void check_round_trip(std::string_view line) {
  const auto parsed = wire::parse_request(line);
  const auto* request = std::get_if<wire::Request>(&parsed.request);
  if (request == nullptr) return;
  const std::string text = wire::request_text(*request, parsed.id_json);
  const auto again = wire::parse_request(text);
  const auto* same = std::get_if<wire::Request>(&again.request);
  must(same != nullptr, "a request survives being written", text);
  must(again.id_json == parsed.id_json, "an id survives being written", text);
  must(wire::request_text(*same, again.id_json) == text, "a request is written in one way", text);
}

void between(tests::Rig& rig, tests::FarEnd& far, std::uint8_t what) {
  switch (what % 8) {
    case 0:
      return rig.agent.time.run_for(core::milliseconds{10});
    case 1:
      return rig.agent.time.run_for(core::seconds{1});
    case 2:
      return rig.agent.time.run_for(core::seconds{40});
    case 3:
      return rig.agent.clock.step(core::seconds{-5});
    case 4: {
      auto told = std::move(rig.agent.told);
      rig.agent.told.clear();
      for (auto& t : told)
        if (t.done) t.done(tests::report_number(7));
      return;
    }
    case 5:
      if (far.alive) far.become(core::StreamState::host_disconnected);
      return;
    case 6:
      if (far.alive) far.become(core::StreamState::host_connected);
      return;
    default:
      rig.agent.records = 300;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  tests::Rig rig;
  const auto who = in.byte();
  const auto far = who % 3 == 0 ? rig.port() : rig.client(who % 3 == 1);
  while (!in.empty() && far->alive) {
    const auto piece = in.text_until('\xfe');
    far->say(std::string(piece), (who & 0x80U) != 0 ? core::Arrival::backlog : core::Arrival::live);
    check_replies(*far);
    for (std::size_t begin = 0; begin < piece.size();) {
      const auto end = std::min(piece.find('\n', begin), piece.size());
      check_round_trip(piece.substr(begin, end - begin));
      begin = end + 1;
    }
    must(rig.agent.told.size() <= 64, "notices are thinned");
    between(rig, *far, in.byte());
    check_replies(*far);
  }
  rig.agent.time.run_for(core::seconds{60});
  check_replies(*far);
  return 0;
}
