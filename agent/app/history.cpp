#include "agent/app/history.hpp"

#include <algorithm>

#include "agent/wire/report.hpp"

namespace clockmend::app {
namespace {

// 1000 records of a few KiB; a larger file was not written by us.
constexpr std::size_t kLargestFile = std::size_t{16} * 1024 * 1024;

// What a disk did not take is tried again with the next record.
constexpr std::size_t kMostUnwritten = 100;

bool corroborated(const core::CorrectionReport& report) { return report.discontinuity.confidence == core::Confidence::corroborated; }

}  // namespace

History::History(core::FileReader& reader, core::FileWriter& writer, std::string path, std::uint32_t max_records)
    : reader_(reader), writer_(writer), path_(std::move(path)), max_records_(std::max<std::uint32_t>(max_records, 10)) {}

std::vector<std::string> History::lines() {
  std::vector<std::string> result;
  const auto text = reader_.read(path_, kLargestFile);
  if (!text) return result;
  std::size_t begin = 0;
  while (begin < text->size()) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    if (end > begin) result.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

void History::load() {
  records_ = 0;
  damaged_ = 0;
  lone_steps_.clear();
  for (const std::string& line : lines()) {
    auto report = wire::parse_report(line);
    if (!report) {
      ++damaged_;
      continue;
    }
    ++records_;
    last_number_ = std::max(last_number_, report->number);
    note_good_time(*report);
    const bool forced = report->discontinuity.notice && report->discontinuity.notice->force;
    if (report->total.value != core::nanoseconds::zero() && !corroborated(*report) && !forced)
      lone_steps_.push_back({report->ended_realtime, report->total});
    last_ = std::move(*report);
  }
}

void History::note_good_time(const core::CorrectionReport& report) {
  if (report.verified && corroborated(report)) last_good_ = report.ended_realtime;
}

core::Status History::add(const core::CorrectionReport& report) {
  last_number_ = std::max(last_number_, report.number);
  last_ = report;
  note_good_time(report);
  unwritten_.push_back(wire::report_line(report));
  if (unwritten_.size() > kMostUnwritten) unwritten_.pop_front();
  while (!unwritten_.empty()) {
    if (const core::Status written = writer_.append(path_, unwritten_.front(), true); !written) return written;
    unwritten_.pop_front();
    ++records_;
  }
  // Trimmed by a quarter at a time, so that the whole file is rewritten once in many records.
  return records_ > max_records_ ? trim() : core::success();
}

core::Status History::trim() {
  std::vector<std::string> all = lines();
  const std::size_t keep = max_records_ - max_records_ / 4;
  if (all.size() > keep) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(keep));
  std::string text;
  for (const std::string& line : all) text += line + "\n";
  records_ = all.size();
  return writer_.replace(path_, text, true);
}

std::vector<std::string> History::newest(std::size_t limit, std::optional<std::uint64_t> before) {
  std::vector<std::string> all = lines();
  std::vector<std::string> result;
  for (auto line = all.rbegin(); line != all.rend() && result.size() < limit; ++line) {
    if (before) {
      const auto report = wire::parse_report(*line);
      if (!report || report->number >= *before) continue;
    }
    result.push_back(std::move(*line));
  }
  return result;
}

}  // namespace clockmend::app
