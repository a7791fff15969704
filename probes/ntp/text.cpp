#include "probes/ntp/text.hpp"

namespace clockmend::probes::ntp {

std::string ms_text(core::nanoseconds d, bool sign) {
  const auto us = std::chrono::duration_cast<core::microseconds>(d).count();
  const auto magnitude = us < 0 ? -us : us;
  auto thousandths = std::to_string(magnitude % 1000);
  thousandths.insert(0, 3 - thousandths.size(), '0');
  const std::string prefix = us < 0 ? "-" : (sign ? "+" : "");
  return prefix + std::to_string(magnitude / 1000) + "." + thousandths + " ms";
}

}  // namespace clockmend::probes::ntp
