// The visitor's side of the lease (lease.hpp).
#pragma once

#include <asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/connection.hpp"
#include "agent/host/lease.hpp"
#include "agent/host/verdict.hpp"

namespace clockmend::host {

struct LeaseQuery {
  std::vector<std::string> sockets;
  std::vector<std::string> domains;
  bool all = false;
};

class LeaseClient {
 public:
  LeaseClient(asio::io_context& loop, core::ClockReader& clock);

  /// Blocks until `watch` lets us go to these guests. Nothing where no `watch` runs, does not know, or does not answer within
  /// the deadline: then the visitor helps itself. Runs the loop.
  [[nodiscard]] std::optional<std::vector<LeasedGuest>> take(const std::string& control, const LeaseQuery& query,
                                                             core::nanoseconds deadline);
  /// What became of a guest; sent by give_back().
  void done(const std::string& socket, Verdict verdict);
  void give_back();

 private:
  [[nodiscard]] asio::awaitable<core::Result<std::vector<LeasedGuest>>> ask(std::string control, std::string lines);
  [[nodiscard]] asio::awaitable<void> ask_into(core::Result<std::vector<LeasedGuest>>& answer, std::string control, std::string lines);
  [[nodiscard]] asio::awaitable<void> tell();

  asio::io_context& loop_;
  Connection connection_;
  bool taken_ = false;
  std::string told_;
};

}  // namespace clockmend::host
