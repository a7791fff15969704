#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// A pending look-up; destroying it abandons the look-up without waiting.
class Lookup {
 public:
  virtual ~Lookup() = default;
};

/// Names to numeric addresses (A and AAAA), asynchronously, with a deadline. Never blocks the loop.
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// Numeric input is answered without the network. Addresses in resolver order, at most 16.
  [[nodiscard]] virtual std::unique_ptr<Lookup> resolve(const std::string& name, milliseconds deadline,
                                                        std::function<void(Result<std::vector<std::string>>)> done) = 0;
};

}  // namespace clockmend::core
