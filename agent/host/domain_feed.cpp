#include "agent/host/domain_feed.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace clockmend::host {

namespace {

using core::ErrorCode;

constexpr std::string_view kHex = "0123456789ABCDEF";

bool plain(char c) { return c > ' ' && c < '\x7f' && c != '%'; }

int hex_value(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

std::string domain_words(const Domain& d) {
  return to_word(d.uuid) + (d.active ? " 1" : " 0") + (d.running ? " 1 " : " 0 ") + to_word(d.name) + " " + to_word(d.socket);
}

constexpr std::size_t kDomainWords = 5;

std::optional<bool> parse_bool(const std::string& word) {
  if (word == "1") return true;
  if (word == "0") return false;
  return std::nullopt;
}

std::optional<int> parse_int(const std::string& word) {
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::optional<Domain> parse_domain(const std::vector<std::string>& words, std::size_t from) {
  if (words.size() != from + kDomainWords) return std::nullopt;
  const auto active = parse_bool(words[from + 1]);
  const auto running = parse_bool(words[from + 2]);
  if (!active || !running || words[from].empty()) return std::nullopt;
  return Domain{words[from], words[from + 3], words[from + 4], *active, *running};
}

struct Writer {
  std::string operator()(const Domain& d) const { return "domain " + domain_words(d); }
  std::string operator()(const Lifecycle& l) const {
    return "event " + std::to_string(l.event) + " " + std::to_string(l.detail) + " " + domain_words(l.domain);
  }
  std::string operator()(const Listed&) const { return "listed"; }
  std::string operator()(const core::Error& e) const { return "error " + std::to_string(static_cast<int>(e.code)) + " " + to_word(e.text); }
};

}  // namespace

std::string to_word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (plain(c)) {
      word += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    word += '%';
    word += kHex[byte >> 4U];
    word += kHex[byte & 15U];
  }
  return word;
}

std::string from_word(std::string_view word) {
  std::string text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool escaped = word[i] == '%' && i + 2 < word.size() && hex_value(word[i + 1]) >= 0 && hex_value(word[i + 2]) >= 0;
    if (!escaped) {
      text += word[i];
      continue;
    }
    text += static_cast<char>(hex_value(word[i + 1]) * 16 + hex_value(word[i + 2]));
    i += 2;
  }
  return text;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (;;) {
    const auto end = line.find(' ');
    words.push_back(from_word(line.substr(0, end)));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end + 1);
  }
}

std::string feed_line(const Feed& feed) { return std::visit(Writer{}, feed); }

core::Result<Feed> parse_feed(std::string_view line) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() == 1 && words[0] == "listed") return Feed{Listed{}};
  if (words[0] == "domain") {
    if (auto domain = parse_domain(words, 1)) return Feed{std::move(*domain)};
  }
  if (words[0] == "event" && words.size() > 2) {
    const auto event = parse_int(words[1]);
    const auto detail = parse_int(words[2]);
    auto domain = parse_domain(words, 3);
    if (event && detail && domain) return Feed{Lifecycle{std::move(*domain), *event, *detail}};
  }
  if (words[0] == "error" && words.size() == 3) {
    const auto code = parse_int(words[1]);
    if (code && *code >= 0 && *code <= static_cast<int>(ErrorCode::io)) return Feed{core::Error{static_cast<ErrorCode>(*code), words[2]}};
  }
  return core::Error{ErrorCode::invalid, "not a line of clockmend-host-libvirt: " + to_word(line.substr(0, 200))};
}

}  // namespace clockmend::host
