// One sd-bus connection driven by the event loop; asynchronous calls only.
#pragma once

#include <systemd/sd-bus.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agent/core/result.hpp"

namespace clockmend::os {

struct BusClose {
  void operator()(sd_bus* b) const { ::sd_bus_close_unref(b); }
  void operator()(sd_bus_message* m) const { ::sd_bus_message_unref(m); }
};
using BusPtr = std::unique_ptr<sd_bus, BusClose>;
using MessagePtr = std::unique_ptr<sd_bus_message, BusClose>;

struct BusPlace {
  std::string address;  // empty: the system bus (DBUS_SYSTEM_BUS_ADDRESS or its default)
  bool peer = false;    // the address is a service itself, without a bus between (systemd's private socket)
};

/// Connecting, authenticating and every call go on in the background: sd-bus queues what is sent before the connection is up.
/// Dropped for good when the connection breaks; make a new one then.
class BusConnection : public std::enable_shared_from_this<BusConnection> {
 public:
  /// `on_lost` is called from the loop, once, when the connection broke; all pending replies came before, as errors.
  [[nodiscard]] static core::Result<std::shared_ptr<BusConnection>> open(asio::io_context& io, const BusPlace& place,
                                                                         std::function<void(const std::string& why)> on_lost);
  explicit BusConnection(asio::io_context& io);
  BusConnection(const BusConnection&) = delete;
  BusConnection& operator=(const BusConnection&) = delete;
  ~BusConnection();

  [[nodiscard]] sd_bus* bus() const { return bus_.get(); }
  /// After something was queued from outside a bus callback: writes it, and sets the timer for its answer.
  void kick();
  /// No callback after this.
  void close();

 private:
  core::Status connect(const BusPlace& place);
  void pump();
  void arm();
  void arm_timer();
  void wait(bool writing);
  void lose(int number);

  asio::io_context& io_;
  asio::posix::stream_descriptor descriptor_;  // a duplicate: sd-bus owns its own
  asio::steady_timer timer_;
  BusPtr bus_;
  std::function<void(const std::string&)> on_lost_;
  bool reading_ = false;
  bool writing_ = false;
  bool pumping_ = false;
  bool kicked_ = false;
};

}  // namespace clockmend::os
