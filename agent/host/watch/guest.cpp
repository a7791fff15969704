#include "agent/host/watch/guest.hpp"

#include <iterator>

namespace clockmend::host {

namespace {

constexpr core::milliseconds kTries[] = {core::milliseconds{200}, core::milliseconds{1000}, core::milliseconds{3000},
                                         core::milliseconds{10000}, core::milliseconds{30000}};
// A correction with a healthy network ends within about two seconds, with deadlines that pass within thirty.
constexpr core::milliseconds kLooks[] = {core::milliseconds{1500}, core::milliseconds{2500}, core::milliseconds{6000},
                                         core::milliseconds{20000}};

}  // namespace

std::optional<core::milliseconds> next_try(std::size_t tries) {
  return tries < std::size(kTries) ? std::optional{kTries[tries]} : std::nullopt;
}

std::optional<core::milliseconds> next_look(std::size_t tries) {
  return tries < std::size(kLooks) ? std::optional{kLooks[tries]} : std::nullopt;
}

}  // namespace clockmend::host
