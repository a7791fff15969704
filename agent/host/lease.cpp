#include "agent/host/lease.hpp"

#include <charconv>

#include "agent/host/domain_feed.hpp"

namespace clockmend::host {

namespace {

struct AskWriter {
  std::string operator()(const AskSocket& a) const { return "socket " + to_word(a.path); }
  std::string operator()(const AskDomain& a) const { return "domain " + to_word(a.name); }
  std::string operator()(const AskAll&) const { return "all"; }
  std::string operator()(const AskEnd&) const { return "end"; }
  std::string operator()(const TellDone& t) const { return "done " + to_word(t.socket) + " " + std::to_string(t.verdict); }
};

struct AnswerWriter {
  std::string operator()(const LeasedGuest& g) const {
    return "guest " + to_word(g.socket) + " " + to_word(g.name) + " " + to_word(g.trouble);
  }
  std::string operator()(const LeaseGo&) const { return "go"; }
  std::string operator()(const LeaseNo& n) const { return "no " + to_word(n.why); }
};

core::Error bad(std::string_view line) {
  return {core::ErrorCode::invalid, "not a line of the control socket: " + to_word(line.substr(0, 100))};
}

}  // namespace

std::string lease_line(const LeaseAsk& ask) { return std::visit(AskWriter{}, ask) + "\n"; }
std::string lease_line(const LeaseAnswer& answer) { return std::visit(AnswerWriter{}, answer) + "\n"; }

core::Result<LeaseAsk> parse_lease_ask(std::string_view line) {
  const std::vector<std::string> words = words_of(line);
  const std::string& verb = words[0];
  if (verb == "socket" && words.size() == 2) return LeaseAsk{AskSocket{words[1]}};
  if (verb == "domain" && words.size() == 2) return LeaseAsk{AskDomain{words[1]}};
  if (verb == "all" && words.size() == 1) return LeaseAsk{AskAll{}};
  if (verb == "end" && words.size() == 1) return LeaseAsk{AskEnd{}};
  if (verb != "done" || words.size() != 3) return bad(line);
  TellDone done{words[1], 0};
  const std::string& number = words[2];
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), done.verdict);
  if (error != std::errc{} || end != number.data() + number.size()) return bad(line);
  return LeaseAsk{done};
}

core::Result<LeaseAnswer> parse_lease_answer(std::string_view line) {
  const std::vector<std::string> words = words_of(line);
  if (words[0] == "guest" && words.size() == 4) return LeaseAnswer{LeasedGuest{words[1], words[2], words[3]}};
  if (words[0] == "go" && words.size() == 1) return LeaseAnswer{LeaseGo{}};
  if (words[0] == "no" && words.size() == 2) return LeaseAnswer{LeaseNo{words[1]}};
  return bad(line);
}

}  // namespace clockmend::host
