// The channel's commands by name: the protocol (agent/wire) answers to them, the configuration blocks them by name.
#pragma once

#include <array>
#include <string_view>

namespace clockmend::core {

inline constexpr std::array<std::string_view, 11> kChannelVerbs{"guest-sync",     "guest-sync-delimited", "guest-ping",   "guest-info",
                                                                "guest-get-time", "guest-set-time",       "clock-notify", "clock-exchange",
                                                                "clock-status",   "clock-resync",         "clock-history"};

}  // namespace clockmend::core
