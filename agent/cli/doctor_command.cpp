#include "agent/cli/doctor_command.hpp"

#include <algorithm>

#include "agent/cli/doctor_checks.hpp"
#include "agent/host/words.hpp"

namespace clockmend::cli {

namespace {

constexpr std::size_t kLevelWidth = 5;
constexpr std::size_t kTopicWidth = 11;

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

// A text of several lines (the configuration's mistakes) keeps its lines, indented.
std::string indented(const std::string& text) {
  const std::string indent(kLevelWidth + kTopicWidth, ' ');
  std::string out;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) out += (out.empty() ? "" : indent) + host::printable(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out.empty() ? "\n" : out;
}

std::size_t count(const Findings& findings, Level level) {
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), [level](const Finding& f) { return f.level == level; }));
}

}  // namespace

Output render_findings(const Findings& findings) {
  Output out;
  for (const Finding& f : findings) {
    out.text += padded(to_string(f.level), kLevelWidth) + padded(f.topic, kTopicWidth) + indented(f.text);
    if (!f.advice.empty()) out.text += std::string(kLevelWidth + kTopicWidth, ' ') + "-> " + indented(f.advice);
  }
  const std::size_t warnings = count(findings, Level::warn);
  const std::size_t failures = count(findings, Level::fail);
  out.text += "\n" + std::to_string(failures) + " failures, " + std::to_string(warnings) + " warnings\n";
  out.code = failures > 0 ? 2 : (warnings > 0 ? 1 : 0);
  return out;
}

Output run_doctor(const Context& context) { return render_findings(all_findings(gather_facts(context))); }

}  // namespace clockmend::cli
