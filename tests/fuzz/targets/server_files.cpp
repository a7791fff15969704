// ntp.conf, ntpsec's, chrony.conf, ntpd.conf of OpenNTPD, timesyncd.conf, networkd's state, DHCP leases, and the search for them.
// Input: which daemon, which parser, then files separated by form feeds.
#include <array>

#include "probes/ntp/address.hpp"
#include "probes/ntp/discovery.hpp"
#include "probes/ntp/server_files.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace ntp = clockmend::probes::ntp;
using clockmend::fuzz::must;

namespace {

constexpr std::array kPlaces = {"/etc/ntp.conf",
                                "/etc/ntpsec/ntp.conf",
                                "/etc/ntpsec/ntp.d/a.conf",
                                "/etc/chrony/chrony.conf",
                                "/run/chrony-dhcp/a.sources",
                                "/etc/openntpd/ntpd.conf",
                                "/etc/systemd/timesyncd.conf",
                                "/etc/systemd/timesyncd.conf.d/a.conf",
                                "/run/systemd/netif/state",
                                "/var/lib/dhcp/dhclient.leases"};

void check(const std::vector<ntp::ServerName>& servers, std::size_t most) {
  must(servers.size() <= most, "servers are bounded");
  for (const auto& server : servers) {
    must(ntp::is_host_text(server.host) && server.host.size() <= 253, "a server is a name or an address", server.host);
    must(server.port != 0, "a port is not zero", server.host);
    clockmend::fuzz::must_be_harmless(server.host);
  }
}

void check_notes(const std::vector<std::string>& notes, std::size_t most, std::size_t longest) {
  must(notes.size() <= most, "notes are bounded");
  for (const auto& note : notes) {
    must(note.size() <= longest, "a note is short", note);
    clockmend::fuzz::must_be_harmless(note);
  }
}

void parse_one(std::uint8_t which, std::string_view text) {
  constexpr std::array parsers = {ntp::parse_ntp_conf, ntp::parse_chrony_conf, ntp::parse_openntpd_conf, ntp::parse_netif_state,
                                  ntp::parse_dhclient_leases};
  if (which % 6 == 5) {
    ntp::TimesyncdText into;
    ntp::parse_timesyncd_conf(text, into);
    for (const auto* list : {&into.ntp, &into.fallback, &into.compiled_in}) must(list->size() <= 64, "lists are bounded");
    return;
  }
  const auto found = parsers.at(which % 6)(text);
  check(found.servers, 64);
  check_notes(found.notes, 16, 400);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  const auto active = static_cast<ntp::DaemonKind>(in.byte() % 6);
  const auto which = in.byte();
  clockmend::fakes::FakeFiles files;
  bool first = true;
  for (std::size_t place = which; !in.empty(); ++place) {
    const auto text = in.text_until('\f');
    if (first) parse_one(which, text);
    first = false;
    files.files[kPlaces.at(place % kPlaces.size())] = std::string(text);
  }
  const auto found = ntp::discover(files, active);
  check(found.servers, 64 * 32);
  check_notes(found.notes, 32, 2000);
  must(files.reads.size() <= 400, "files looked at are bounded");
  must(found.looked.size() <= 400, "the list of them is bounded");
  return 0;
}
