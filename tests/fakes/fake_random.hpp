// Reproducible "random" numbers (SplitMix64); the seed belongs into a failing test's output.
#pragma once

#include <cstdint>

#include "agent/core/ports/datagram.hpp"

namespace clockmend::fakes {

class FakeRandom final : public core::RandomSource {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : state_(seed) {}
  std::uint64_t next64() override {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace clockmend::fakes
