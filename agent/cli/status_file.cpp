#include "agent/cli/status_file.hpp"

#include "agent/wire/status.hpp"
#include "agent/wire/text.hpp"

namespace clockmend::cli {

namespace {
constexpr std::size_t kStatusLimit = std::size_t{256} * 1024;
}

core::Result<StatusFile> read_status(const Context& context) {
  core::Result<std::string> text = context.files.read(context.paths.status(), kStatusLimit);
  if (!text) return text.error();
  core::Result<core::AgentStatus> status = wire::parse_status(*text);
  if (!status) return status.error();
  return StatusFile{std::move(*text), std::move(*status)};
}

std::string why_void(const core::AgentStatus& status, core::MonotonicPoint now) {
  const core::nanoseconds age = now - status.checked_at.monotonic;
  if (age < core::nanoseconds::zero()) return "the status was written before this boot";
  if (age <= status.void_after) return "";
  return "the agent last wrote its status " + wire::human(age, false) + " ago, and it is void after " +
         wire::human(status.void_after, false) + ": the agent hangs or was killed";
}

}  // namespace clockmend::cli
