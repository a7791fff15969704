#include "agent/os/resolver_cares.hpp"

#include <ares.h>
#include <netdb.h>
#include <sys/socket.h>

#include <asio/post.hpp>
#include <utility>

#include "agent/os/cares_lookup.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1035 section 2.3.4, as text

class Handle final : public core::Lookup {
 public:
  explicit Handle(std::shared_ptr<CaresLookup> lookup) : lookup_(std::move(lookup)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() override { lookup_->abandon(); }

 private:
  std::shared_ptr<CaresLookup> lookup_;
};

bool is_numeric(const std::string& name) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

bool is_plausible(const std::string& name) { return !name.empty() && name.size() <= kMaxName && name.find('\0') == std::string::npos; }

}  // namespace

CaresResolver::CaresResolver(asio::io_context& io, ResolverPlace place) : io_(io), place_(std::move(place)) {
  ::ares_library_init(ARES_LIB_INIT_ALL);
}

CaresResolver::~CaresResolver() { ::ares_library_cleanup(); }

std::unique_ptr<core::Lookup> CaresResolver::resolve(const std::string& name, core::milliseconds deadline,
                                                     std::function<void(core::Result<std::vector<std::string>>)> done) {
  auto lookup = std::make_shared<CaresLookup>(io_, name, std::move(done));
  if (!is_plausible(name)) {
    lookup->answer_soon(core::Error{core::ErrorCode::invalid, "not a host name: \"" + name.substr(0, kMaxName) + "\""});
  } else if (is_numeric(name)) {
    lookup->answer_soon(std::vector<std::string>{name});
  } else {
    lookup->start(place_, deadline);
  }
  return std::make_unique<Handle>(std::move(lookup));
}

}  // namespace clockmend::os
