#pragma once

#include "agent/core/ports/datagram.hpp"

namespace clockmend::os {

class KernelRandom final : public core::RandomSource {
 public:
  std::uint64_t next64() override;
};

}  // namespace clockmend::os
