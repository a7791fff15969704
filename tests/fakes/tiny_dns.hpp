// A DNS server on loopback that answers from a table; for tests of the resolver.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace clockmend::fakes {

class TinyDns {
 public:
  explicit TinyDns(asio::io_context& io);

  /// "127.0.0.1:port", as a resolver wants it.
  [[nodiscard]] std::string address() const;

  std::map<std::string, std::vector<std::string>> names;  // lower case, IPv4 and IPv6 texts; others get NXDOMAIN
  bool silent = false;                                    // receives, answers nothing
  int rcode = 0;                                          // not 0: refuse everything with this
  unsigned queries = 0;

 private:
  void receive();
  [[nodiscard]] std::string answer(const std::string& query) const;

  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint client_;
  char buffer_[1500];
};

}  // namespace clockmend::fakes
