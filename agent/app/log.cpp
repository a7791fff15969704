#include "agent/app/log.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <vector>

#include "agent/engine/detector.hpp"

namespace clockmend::app {
namespace {

os::LogPriority priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return os::LogPriority::debug;
    case spdlog::level::info:
      return os::LogPriority::info;
    case spdlog::level::warn:
      return os::LogPriority::warning;
    default:
      return os::LogPriority::error;
  }
}

class JournalBridge final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit JournalBridge(std::shared_ptr<os::JournalSink> journal) : journal_(std::move(journal)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    journal_->write(priority_of(message.level), {message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  std::shared_ptr<os::JournalSink> journal_;
};

spdlog::level::level_enum level_of(const std::string& level) {
  if (level == "debug") return spdlog::level::debug;
  if (level == "warning") return spdlog::level::warn;
  if (level == "error") return spdlog::level::err;
  return spdlog::level::info;
}

std::string number(core::nanoseconds v) { return std::to_string(v.count()); }

std::string sentence(const core::CorrectionReport& r) {
  std::string text = "discontinuity " + std::to_string(r.number) + " (" + r.discontinuity.tripwire + "): " + core::to_string(r.outcome);
  if (r.total.value != core::nanoseconds::zero()) text += ", " + engine::in_words(r.total);
  text += "; " + r.reason;
  if (r.residual) text += "; residual " + std::to_string(std::chrono::duration_cast<core::microseconds>(r.residual->value).count()) + " us";
  if (!r.rtc.empty()) text += "; RTC " + r.rtc;
  if (!r.daemon.empty()) text += "; time daemon " + r.daemon;
  return text + "; " + std::to_string(std::chrono::duration_cast<core::milliseconds>(r.duration).count()) + " ms";
}

}  // namespace

Log::Log(const std::string& level, const std::string& root)
    : journal_(std::make_shared<os::JournalSink>("clockmendd", root + "/run/systemd/journal/socket")) {
  logger_ = std::make_shared<spdlog::logger>("clockmendd", std::make_shared<JournalBridge>(journal_));
  set_level(level);
}

void Log::set_level(const std::string& level) { logger_->set_level(level_of(level)); }

void Log::report(const core::CorrectionReport& r) {
  const bool bad = r.outcome == core::Outcome::refused || r.outcome == core::Outcome::failed;
  const std::string message = sentence(r);
  const std::string id = std::to_string(r.number);
  const std::string total = number(r.total.value);
  const std::string duration = number(r.duration);
  const std::string residual = r.residual ? number(r.residual->value) : "";
  const std::string evidence = [&] {
    std::string text;
    for (const core::Evidence& e : r.discontinuity.evidence)
      text += std::string(text.empty() ? "" : "; ") + core::to_string(e.reading.witness) + " " + number(e.needed.middle().value) + " +- " +
              number(e.needed.half_width()) + " ns " + core::to_string(e.basis) + (e.used ? " used" : "");
    return text;
  }();
  std::vector<os::LogField> fields{{"MESSAGE_ID", kMessageIdCorrection},
                                   {"CLOCKMEND_NUMBER", id},
                                   {"CLOCKMEND_CAUSE", core::to_string(r.discontinuity.cause)},
                                   {"CLOCKMEND_OUTCOME", core::to_string(r.outcome)},
                                   {"CLOCKMEND_OFFSET_NS", total},
                                   {"CLOCKMEND_DURATION_NS", duration},
                                   {"CLOCKMEND_VERIFIED", r.verified ? "1" : "0"},
                                   {"CLOCKMEND_EVIDENCE", evidence},
                                   {"CLOCKMEND_CONFIDENCE", core::to_string(r.discontinuity.confidence)},
                                   {"CLOCKMEND_RTC", r.rtc},
                                   {"CLOCKMEND_DAEMON", r.daemon}};
  const std::string gap = r.discontinuity.gap ? number(r.discontinuity.gap->middle().value) : "";
  if (!gap.empty()) fields.emplace_back("CLOCKMEND_GAP_NS", gap);
  if (!residual.empty()) fields.emplace_back("CLOCKMEND_RESIDUAL_NS", residual);
  journal_->write(bad ? os::LogPriority::error : os::LogPriority::notice, message, fields);
}

}  // namespace clockmend::app
