// systemd-timesyncd, systemd-networkd and dhclient.
#include <algorithm>

#include "probes/ntp/server_files.hpp"

namespace clockmend::probes::ntp {

namespace {

void assign(std::string_view value, std::vector<std::string>& list) {
  if (trimmed(value).empty()) return list.clear();
  for (const auto word : words_of(value))
    if (list.size() < 64) list.emplace_back(word);
}

bool key_is(std::string_view line, std::string_view key, std::string_view& value) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos || trimmed(line.substr(0, equals)) != key) return false;
  value = line.substr(equals + 1);
  return true;
}

}  // namespace

void parse_timesyncd_conf(std::string_view text, TimesyncdText& into) {
  std::string_view section;
  std::string_view value;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.empty()) continue;
    if (line.front() == '[') {
      section = line;
      continue;
    }
    if (section != "[Time]") continue;
    if (line.front() == '#' || line.front() == ';') {
      if (key_is(line.substr(1), "FallbackNTP", value)) assign(value, into.compiled_in);
      continue;
    }
    if (key_is(line, "NTP", value)) assign(value, into.ntp);
    if (key_is(line, "FallbackNTP", value)) assign(value, into.fallback);
  }
}

ServerText parse_netif_state(std::string_view text) {
  ServerText out;
  std::string_view value;
  for (const auto line : lines_of(text)) {
    if (!key_is(line, "NTP", value)) continue;
    for (const auto word : words_of(value)) out.add_server(word);
  }
  return out;
}

ServerText parse_dhclient_leases(std::string_view text) {
  ServerText out;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.starts_with("lease")) out = {};  // a newer lease replaces all before it
    constexpr std::string_view option = "option ntp-servers ";
    if (!line.starts_with(option)) continue;
    std::string list(line.substr(option.size()));
    std::replace_if(
        list.begin(), list.end(), [](char c) { return c == ',' || c == ';'; }, ' ');
    for (const auto word : words_of(list)) out.add_server(word);
  }
  return out;
}

}  // namespace clockmend::probes::ntp
