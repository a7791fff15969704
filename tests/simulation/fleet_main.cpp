// Prints the fleet's table as Markdown, and each fleet's NTP packets per 100 ms as CSV for fleet_plot.py.
// usage: sim_fleet [HOSTS [GUESTS_PER_HOST [CSV_FILE]]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/simulation/fleet.hpp"

namespace {

using namespace clockmend;

double ms(core::nanoseconds v) { return static_cast<double>(v.count()) / 1e6; }

void row(sim::Fleet kind, const sim::FleetSpec& spec, const sim::FleetResult& r) {
  const auto seconds = sim::histogram(r.packets, std::chrono::seconds(1), spec.watched);
  const auto tenths = sim::histogram(r.packets, std::chrono::milliseconds(100), spec.watched);
  const double guests = spec.hosts * spec.guests_per_host;
  std::printf("| %s | %.0f / %.0f / %.0f ms | %.2f .. %.2f .. %.2f s | %.1f | %u | %u | %u |\n", sim::describe(kind),
              ms(sim::percentile(r.right, 50)), ms(sim::percentile(r.right, 99)), ms(sim::percentile(r.right, 100)),
              ms(sim::percentile(r.verified, 1)) / 1e3, ms(sim::percentile(r.verified, 50)) / 1e3,
              ms(sim::percentile(r.verified, 99)) / 1e3, static_cast<double>(r.packets.size()) / guests,
              *std::max_element(seconds.begin(), seconds.end()), *std::max_element(tenths.begin(), tenths.end()), r.still_wrong);
}

}  // namespace

int main(int argc, char** argv) {
  sim::FleetSpec spec;
  if (argc > 1) spec.hosts = static_cast<unsigned>(std::atoi(argv[1]));
  if (argc > 2) spec.guests_per_host = static_cast<unsigned>(std::atoi(argv[2]));
  std::ofstream csv;
  if (argc > 3) csv.open(argv[3]);
  if (csv.is_open()) csv << "fleet,slice_ms,packets\n";
  std::printf("%u guests on %u hosts resume after %.2f s; 4 NTP servers\n\n", spec.hosts * spec.guests_per_host, spec.hosts,
              ms(spec.gap) / 1e3);
  std::printf(
      "| witnesses | right after (median / 99 %% / last) | verified (1 %% .. median .. 99 %%) | NTP packets a guest | busiest second, all "
      "servers | busiest 100 ms | still wrong |\n|---|---|---|---|---|---|---|\n");
  unsigned wrong = 0;
  for (const sim::Fleet kind : sim::kFleets) {
    const sim::FleetResult r = sim::run_fleet(kind, spec, 1);
    row(kind, spec, r);
    wrong += r.still_wrong;
    const auto tenths = sim::histogram(r.packets, std::chrono::milliseconds(100), spec.watched);
    for (std::size_t i = 0; csv.is_open() && i < tenths.size(); ++i)
      csv << '"' << sim::describe(kind) << "\"," << i * 100 << ',' << tenths[i] << '\n';
  }
  return wrong == 0 ? 0 : 1;
}
