#include "agent/cli/history_command.hpp"

#include <string_view>
#include <vector>

#include "agent/host/words.hpp"
#include "agent/wire/report.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::cli {

namespace {

// The agent writes at most 16 MiB; more was not written by it.
constexpr std::size_t kHistoryLimit = std::size_t{16} * 1024 * 1024;

struct Records {
  std::vector<core::CorrectionReport> newest_first;
  std::size_t damaged = 0;
};

Records newest(std::string_view text, std::size_t wanted) {
  Records records;
  while (!text.empty() && records.newest_first.size() < wanted) {
    if (text.back() == '\n') text.remove_suffix(1);
    const auto begin = text.rfind('\n') + 1;  // npos + 1 is 0
    const std::string_view line = text.substr(begin);
    text = text.substr(0, begin);
    if (line.empty()) continue;
    core::Result<core::CorrectionReport> report = wire::parse_report(line);
    if (report) {
      records.newest_first.push_back(std::move(*report));
    } else {
      ++records.damaged;
    }
  }
  return records;
}

std::string text_of(const core::CorrectionReport& report, const HistoryCommand& command) {
  if (command.json) return wire::report_line(report) + "\n";
  if (command.full) return host::headline(report) + "\n" + wire::render_report(report) + "\n";
  return wire::render_report_brief(report) + "\n";
}

}  // namespace

Output run_history(const Context& context, const HistoryCommand& command) {
  const core::Result<std::string> text = context.files.read(context.paths.history(), kHistoryLimit);
  if (!text && text.error().code != core::ErrorCode::not_found) return {1, "", "clockmend: " + text.error().text + "\n"};
  const Records records = newest(text ? std::string_view{*text} : std::string_view{}, command.records);
  Output out;
  for (const core::CorrectionReport& report : records.newest_first) out.text += text_of(report, command);
  if (records.newest_first.empty() && !command.json) out.text = "Nothing has happened to the clock yet.\n";
  if (records.damaged > 0) out.error = "clockmend: " + std::to_string(records.damaged) + " damaged records left out\n";
  return out;
}

}  // namespace clockmend::cli
