// What telling the state costs: status.json, a history record, and reading them back.
#include <benchmark/benchmark.h>

#include "agent/wire/report.hpp"
#include "agent/wire/status.hpp"
#include "agent/wire/text.hpp"
#include "tests/unit/wire/samples.hpp"

namespace clockmend::tests {
namespace {

void status_write(benchmark::State& state) {
  const core::AgentStatus status = sample_status();
  std::size_t size = 0;
  for (auto _ : state) {
    const std::string text = wire::status_pretty(status);
    size = text.size();
    benchmark::DoNotOptimize(text.data());
  }
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK(status_write);

void status_read(benchmark::State& state) {
  const std::string text = wire::status_pretty(sample_status());
  for (auto _ : state) benchmark::DoNotOptimize(wire::parse_status(text));
}
BENCHMARK(status_read);

void status_render(benchmark::State& state) {
  const core::AgentStatus status = sample_status();
  for (auto _ : state) benchmark::DoNotOptimize(wire::render_status(status));
}
BENCHMARK(status_render);

void report_write(benchmark::State& state) {
  const core::CorrectionReport report = sample_report();
  for (auto _ : state) benchmark::DoNotOptimize(wire::report_line(report));
}
BENCHMARK(report_write);

void report_read(benchmark::State& state) {
  const std::string text = wire::report_line(sample_report());
  for (auto _ : state) benchmark::DoNotOptimize(wire::parse_report(text));
}
BENCHMARK(report_read);

}  // namespace
}  // namespace clockmend::tests
