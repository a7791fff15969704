// The lines between the programs of the host's package: what clockmend-host-libvirt tells, and what visitors and `watch` say to each
// other on the control socket, which is open to local clients. Input: bytes as they come; each line is tried as each kind.
#include "agent/host/domain_feed.hpp"
#include "agent/host/lease.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace host = clockmend::host;
using clockmend::fuzz::must;

namespace {

void must_be_one_line(const std::string& line) {
  for (const char c : line) must(c >= ' ' && c < 0x7f, "what we write is one line of visible ASCII", line);
}

void check_feed(std::string_view line) {
  const auto feed = host::parse_feed(line);
  if (!feed) return;
  const std::string text = host::feed_line(*feed);
  must_be_one_line(text);
  const auto again = host::parse_feed(text);
  must(static_cast<bool>(again), "what we write can be read", text);
  must(host::feed_line(*again) == text, "and means the same", text);
}

template <typename Parsed>
void check_lease(const Parsed& parsed, Parsed (*parse)(std::string_view)) {
  if (!parsed) return;
  std::string text = host::lease_line(*parsed);
  must(text.ends_with('\n'), "a line has its end", text);
  text.pop_back();
  must_be_one_line(text);
  const auto again = parse(text);
  must(static_cast<bool>(again), "what we write can be read", text);
  must(host::lease_line(*again) == text + "\n", "and means the same", text);
}

void check_word(std::string_view text) {
  const std::string word = host::to_word(text);
  must_be_one_line(word);
  must(word.find(' ') == std::string::npos, "a word holds no separator", word);
  must(host::from_word(word) == text, "a word means its text", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  while (!in.empty()) {
    const std::string_view line = in.text_until('\n');
    check_feed(line);
    check_lease(host::parse_lease_ask(line), &host::parse_lease_ask);
    check_lease(host::parse_lease_answer(line), &host::parse_lease_answer);
    check_word(line);
    (void)host::words_of(line);
  }
  return 0;
}
