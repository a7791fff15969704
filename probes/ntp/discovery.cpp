#include "probes/ntp/discovery.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "probes/ntp/server_files.hpp"

namespace clockmend::probes::ntp {

namespace {

constexpr std::size_t kMaxFile = 64 * 1024;
constexpr unsigned kMaxFiles = 32;
// Files that are missing and folders cost a look too: includes of thousands of them would hold up the loop.
constexpr unsigned kMaxLooks = 64;
constexpr unsigned kMaxDepth = 4;
constexpr std::size_t kMostDiscoveryNotes = 32;

using Parser = ServerText (*)(std::string_view);

/// Reads the files of one daemon, follows includes, collects what they name.
class Search {
 public:
  Search(core::FileReader& files, Discovery& out) : files_(files), out_(out) {}

  bool file(const std::string& path, Parser parse, unsigned depth = 0) {
    const auto text = read(path);
    if (!text) return false;
    add(path, parse(*text), parse, depth);
    return true;
  }

  void directory(const std::string& path, std::string_view suffix, Parser parse, unsigned depth = 0) {
    const auto names = list(path);
    if (names.empty() && looks_ <= kMaxLooks) out_.looked.push_back(path);
    for (const auto& name : names)
      if (std::string_view(name).ends_with(suffix)) file(path + "/" + name, parse, depth);
  }

  core::Result<std::string> read(const std::string& path) {
    if (files_read_ >= kMaxFiles || seen_.contains(path)) return core::Error{core::ErrorCode::invalid, path + ": too many files"};
    if (!may_look()) return core::Error{core::ErrorCode::invalid, path + ": not looked at"};
    seen_.insert(path);
    auto text = files_.read(path, kMaxFile);
    out_.looked.push_back(path);
    if (text) ++files_read_;
    if (!text && text.error().code != core::ErrorCode::not_found) note(text.error().text);
    return text;
  }

  void add(const std::string& path, const ServerText& found, Parser parse, unsigned depth) {
    for (const auto& n : found.notes) note(path + ": " + n);
    for (const auto& server : found.servers)
      if (std::find(out_.servers.begin(), out_.servers.end(), server) == out_.servers.end()) out_.servers.push_back(server);
    if (!found.servers.empty()) out_.source += (out_.source.empty() ? "" : ", ") + path;
    if (depth >= kMaxDepth) return;
    for (const auto& include : found.includes) follow(path, include, parse, depth + 1);
  }

 private:
  void follow(const std::string& from, const Include& include, Parser parse, unsigned depth) {
    std::string path = include.path;
    if (!path.starts_with('/')) path = from.substr(0, from.rfind('/') + 1) + path;
    if (include.what == Include::What::directory) return directory(path, include.suffix, parse, depth);
    const auto slash = path.rfind('/');
    const auto star = path.find('*', slash);
    if (star == std::string::npos) {
      file(path, parse, depth);
      return;
    }
    const auto folder = path.substr(0, slash);
    const auto prefix = path.substr(slash + 1, star - slash - 1);
    const auto suffix = path.substr(star + 1);
    for (const auto& name : list(folder))
      if (name.size() >= prefix.size() + suffix.size() && name.starts_with(prefix) && name.ends_with(suffix))
        file(folder + "/" + name, parse, depth);
  }

  bool may_look() {
    if (++looks_ <= kMaxLooks) return true;
    if (looks_ == kMaxLooks + 1) note("more than " + std::to_string(kMaxLooks) + " files and folders are named: the rest is not looked at");
    return false;
  }

  std::vector<std::string> list(const std::string& folder) { return may_look() ? files_.list(folder) : std::vector<std::string>{}; }

  void note(std::string text) {
    if (out_.notes.size() < kMostDiscoveryNotes) out_.notes.push_back(std::move(text));
  }

  core::FileReader& files_;
  Discovery& out_;
  std::set<std::string> seen_;
  unsigned files_read_ = 0;
  std::size_t looks_ = 0;
};

void search_ntpsec(Search& s) {
  // Debian's wrapper runs ntpd with the file its DHCP hook wrote, if there is one, instead of the administrator's.
  if (!s.file("/run/ntpsec/ntp.conf.dhcp", parse_ntp_conf)) s.file("/etc/ntpsec/ntp.conf", parse_ntp_conf);
  s.directory("/etc/ntpsec/ntp.d", ".conf", parse_ntp_conf);
}

void search_ntpd(Search& s) {
  if (!s.file("/run/ntp.conf.dhcp", parse_ntp_conf)) s.file("/etc/ntp.conf", parse_ntp_conf);
  s.directory("/etc/ntp.d", ".conf", parse_ntp_conf);
}

void search_chrony(Search& s) {
  if (!s.file("/etc/chrony/chrony.conf", parse_chrony_conf)) s.file("/etc/chrony.conf", parse_chrony_conf);
  // Read although Debian's chrony.conf names it: other distributions' dispatcher scripts feed chronyd through chronyc.
  s.directory("/run/chrony-dhcp", ".sources", parse_chrony_conf);
}

void search_openntpd(Search& s) {
  if (!s.file("/etc/openntpd/ntpd.conf", parse_openntpd_conf)) s.file("/etc/ntpd.conf", parse_openntpd_conf);
}

void search_networkd(Search& s) {
  s.directory("/run/systemd/netif/links", "", parse_netif_state);
  s.file("/run/systemd/netif/state", parse_netif_state);
}

/// Main file, then drop-ins by name; a name in /etc hides the same in /run, and that the one in /usr/lib.
TimesyncdText read_timesyncd(Search& s, core::FileReader& files) {
  TimesyncdText all;
  if (const auto text = s.read("/etc/systemd/timesyncd.conf")) parse_timesyncd_conf(*text, all);
  constexpr std::array folders = {"/usr/lib/systemd/timesyncd.conf.d", "/run/systemd/timesyncd.conf.d", "/etc/systemd/timesyncd.conf.d"};
  std::map<std::string, std::string> drop_ins;
  for (const auto* const folder : folders)
    for (const auto& name : files.list(folder))
      if (name.ends_with(".conf")) drop_ins[name] = folder;
  for (const auto& [name, folder] : drop_ins)
    if (const auto text = s.read(folder + "/" + name)) parse_timesyncd_conf(*text, all);
  return all;
}

void search_timesyncd(Search& s, core::FileReader& files, const Discovery& out, bool active) {
  search_networkd(s);
  const auto text = read_timesyncd(s, files);
  const auto use = [&](const std::vector<std::string>& hosts, const std::string& from) {
    ServerText servers;
    for (const auto& host : hosts) servers.add_server(host);
    s.add(from, servers, nullptr, kMaxDepth);
  };
  use(text.ntp, "/etc/systemd/timesyncd.conf");
  if (out.servers.empty()) use(text.fallback, "/etc/systemd/timesyncd.conf (FallbackNTP)");
  // Public servers nobody chose: only where timesyncd runs and asks them itself.
  if (out.servers.empty() && active) use(text.compiled_in, "/etc/systemd/timesyncd.conf (compiled-in default)");
}

void search_leases(Search& s, core::FileReader& files) {
  for (const auto* const folder : {"/var/lib/dhcp", "/var/lib/NetworkManager", "/var/lib/dhclient"})
    for (const auto& name : files.list(folder))
      if (name.starts_with("dhclient") && name.find(".lease") != std::string::npos)
        s.file(std::string(folder) + "/" + name, parse_dhclient_leases);
}

void search(DaemonKind kind, core::FileReader& files, Discovery& out, bool active) {
  Search s(files, out);
  switch (kind) {
    case DaemonKind::ntpd:
      return search_ntpd(s);
    case DaemonKind::ntpsec:
      return search_ntpsec(s);
    case DaemonKind::chrony:
      return search_chrony(s);
    case DaemonKind::timesyncd:
      return search_timesyncd(s, files, out, active);
    case DaemonKind::openntpd:
      return search_openntpd(s);
    case DaemonKind::unknown:
      return search_leases(s, files);
  }
}

}  // namespace

DaemonKind daemon_kind(std::string_view unit) {
  if (unit.ends_with(".service")) unit.remove_suffix(8);
  if (unit == "ntpsec") return DaemonKind::ntpsec;
  if (unit == "ntp" || unit == "ntpd") return DaemonKind::ntpd;
  if (unit == "chrony" || unit == "chronyd") return DaemonKind::chrony;
  if (unit == "systemd-timesyncd") return DaemonKind::timesyncd;
  if (unit == "openntpd") return DaemonKind::openntpd;
  return DaemonKind::unknown;
}

Discovery discover(core::FileReader& files, DaemonKind active) {
  std::vector<DaemonKind> order;
  if (active != DaemonKind::unknown) order.push_back(active);
  for (const auto kind : {DaemonKind::ntpd, DaemonKind::ntpsec, DaemonKind::chrony, DaemonKind::timesyncd, DaemonKind::openntpd})
    if (kind != active) order.push_back(kind);
  order.push_back(DaemonKind::unknown);
  Discovery out;
  for (const auto kind : order) {
    search(kind, files, out, kind == active);
    if (!out.servers.empty()) break;
  }
  return out;
}

}  // namespace clockmend::probes::ntp
