// Names to addresses by c-ares on the event loop.
#pragma once

#include <asio/io_context.hpp>

#include "agent/core/ports/resolver.hpp"

namespace clockmend::os {

struct ResolverPlace {
  std::string resolv_conf;  // empty: the system's; tests name their own
  std::string servers;      // "127.0.0.1:5353,...": instead of those in resolv.conf
};

/// Every look-up opens a c-ares channel of its own, so a changed /etc/resolv.conf or /etc/hosts counts at once and nothing
/// is kept in memory between the few look-ups a day.
class CaresResolver final : public core::Resolver {
 public:
  explicit CaresResolver(asio::io_context& io, ResolverPlace place = {});
  CaresResolver(const CaresResolver&) = delete;
  CaresResolver& operator=(const CaresResolver&) = delete;
  ~CaresResolver() override;

  [[nodiscard]] std::unique_ptr<core::Lookup> resolve(const std::string& name, core::milliseconds deadline,
                                                      std::function<void(core::Result<std::vector<std::string>>)> done) override;

 private:
  asio::io_context& io_;
  ResolverPlace place_;
};

}  // namespace clockmend::os
