#include "probes/host_notice.hpp"

#include <utility>

namespace clockmend::probes {

void HostNoticeProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  if (state_ == core::ProbeState::off) set_channel_state(core::ProbeState::starting, "waiting for the port");
}

void HostNoticeProbe::deliver(const core::HostNotice& notice) {
  if (notice.exchange) last_ = notice.exchange;
  if (sink_) sink_(notice);
}

void HostNoticeProbe::set_channel_state(core::ProbeState state, std::string why) {
  state_ = state;
  why_ = std::move(why);
}

}  // namespace clockmend::probes
