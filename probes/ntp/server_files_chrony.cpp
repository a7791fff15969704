#include <charconv>

#include "probes/ntp/server_files.hpp"

namespace clockmend::probes::ntp {

namespace {

std::uint16_t port_option(const std::vector<std::string_view>& words) {
  for (std::size_t i = 2; i + 1 < words.size(); ++i) {
    if (lower(words[i]) != "port") continue;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(words[i + 1].data(), words[i + 1].data() + words[i + 1].size(), port);
    if (error == std::errc{} && end == words[i + 1].data() + words[i + 1].size() && port != 0) return port;
  }
  return 123;
}

bool noselect(const std::vector<std::string_view>& words) {
  for (std::size_t i = 2; i < words.size(); ++i)
    if (lower(words[i]) == "noselect") return true;
  return false;
}

void chrony_line(const std::vector<std::string_view>& words, ServerText& out) {
  const auto keyword = lower(words[0]);
  if (keyword == "refclock") return out.note("reference clocks of the daemon are not asked");
  if (keyword == "peer") return out.note("'peer' lines are not servers to ask");
  if (words.size() < 2) return;
  if (keyword == "server" || keyword == "pool") {
    if (noselect(words)) return out.note(std::string(words[1].substr(0, 64)) + " is marked noselect");
    return out.add_server(words[1], port_option(words));
  }
  if (keyword == "include") out.includes.push_back({Include::What::file, std::string(words[1]), {}});
  // Several directories may follow; a file of the same name in an earlier one hides the later, which matters little here.
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (keyword == "confdir") out.includes.push_back({Include::What::directory, std::string(words[i]), ".conf"});
    if (keyword == "sourcedir") out.includes.push_back({Include::What::directory, std::string(words[i]), ".sources"});
  }
}

}  // namespace

ServerText parse_chrony_conf(std::string_view text) {
  ServerText out;
  for (const auto line : lines_of(text)) {
    const auto words = words_of(line);
    // A line is a comment if it begins with one of these; nothing inside a line is.
    if (words.empty() || std::string_view("!;#%").find(words[0].front()) != std::string_view::npos) continue;
    chrony_line(words, out);
  }
  return out;
}

}  // namespace clockmend::probes::ntp
