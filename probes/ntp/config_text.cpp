#include "probes/ntp/config_text.hpp"

#include <algorithm>
#include <utility>

#include "agent/core/printable.hpp"
#include "probes/ntp/address.hpp"

namespace clockmend::probes::ntp {

namespace {
constexpr std::size_t kMaxServers = 64;
constexpr std::size_t kMaxNotes = 16;
constexpr std::size_t kMaxLines = 2000;
constexpr std::size_t kMaxLine = 1024;
constexpr std::size_t kMaxWords = 64;
constexpr std::size_t kMaxQuoted = 64;

/// Foreign text in a note, short; note() makes it printable.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxQuoted)) out += c == '"' ? '?' : c;
  return out + "\"";
}
}  // namespace

void ServerText::add_server(std::string_view host, std::uint16_t port) {
  if (is_reference_clock(host)) return note(std::string(host) + " is a reference clock of the daemon, not a server");
  if (!is_host_text(host)) return note(quoted(host) + " is not a server's name or address");
  if (servers.size() >= kMaxServers) return note("more than " + std::to_string(kMaxServers) + " servers: the rest is ignored");
  ServerName server{std::string(host), port};
  if (std::find(servers.begin(), servers.end(), server) == servers.end()) servers.push_back(std::move(server));
}

void ServerText::note(std::string text) {
  text = core::printable_ascii(std::move(text));
  if (notes.size() < kMaxNotes && std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(std::move(text));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < kMaxLines) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.size() <= kMaxLine) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blank = " \t";
  std::vector<std::string_view> words;
  while (words.size() < kMaxWords) {
    const auto begin = line.find_first_not_of(blank);
    if (begin == std::string_view::npos) break;
    const auto end = std::min(line.find_first_of(blank, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
  return words;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace clockmend::probes::ntp
