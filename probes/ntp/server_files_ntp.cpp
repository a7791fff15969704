// ntpd, ntpsec and OpenNTPD.
#include "probes/ntp/server_files.hpp"

namespace clockmend::probes::ntp {

namespace {

/// "[-4|-6] address options...": the index of the address, or the number of words if there is none.
std::size_t address_at(const std::vector<std::string_view>& words) {
  std::size_t at = 1;
  while (at < words.size() && (words[at] == "-4" || words[at] == "-6")) ++at;
  return at;
}

bool has_option(const std::vector<std::string_view>& words, std::size_t from, std::string_view option) {
  for (std::size_t i = from; i < words.size(); ++i)
    if (lower(words[i]) == option) return true;
  return false;
}

void ntp_line(const std::vector<std::string_view>& words, ServerText& out) {
  const auto keyword = lower(words[0]);
  if (keyword == "includefile" && words.size() > 1) {
    std::string_view path = words[1];
    if (path.size() >= 2 && path.front() == '"' && path.back() == '"') path = path.substr(1, path.size() - 2);
    out.includes.push_back({Include::What::file, std::string(path), {}});
    return;
  }
  if (keyword == "refclock" || keyword == "fudge") return out.note("reference clocks of the daemon are not asked");
  if (keyword == "peer" || keyword == "broadcast" || keyword == "multicastclient" || keyword == "manycastclient")
    return out.note("'" + keyword + "' lines are not servers to ask");
  if (keyword != "server" && keyword != "pool") return;
  const auto at = address_at(words);
  if (at >= words.size()) return;
  if (has_option(words, at + 1, "noselect")) return out.note(std::string(words[at].substr(0, 64)) + " is marked noselect");
  out.add_server(words[at]);
}

}  // namespace

ServerText parse_ntp_conf(std::string_view text) {
  ServerText out;
  for (auto line : lines_of(text)) {
    line = line.substr(0, line.find('#'));
    const auto words = words_of(line);
    if (!words.empty()) ntp_line(words, out);
  }
  return out;
}

ServerText parse_openntpd_conf(std::string_view text) {
  ServerText out;
  for (auto line : lines_of(text)) {
    line = line.substr(0, line.find('#'));
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    if (words[0] == "server" || words[0] == "servers") out.add_server(words[1]);
  }
  return out;
}

}  // namespace clockmend::probes::ntp
