// org.freedesktop.systemd1 on a bus of the test's own, as far as clockmend uses it.
#pragma once

#include <systemd/sd-bus.h>
#include <csignal>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace clockmend::fakes {

/// Driven by the test's loop, with code of its own on purpose: sharing the agent's would hide its faults.
class FakeSystemd {
 public:
  struct Unit {
    std::string id;
    std::string load_state = "loaded";
    std::string active_state = "active";
    std::string sub_state = "running";
    std::string result = "success";
    std::string invocation = "0123456789abcdef";  // 16 bytes, shown as hex
  };
  enum class Jobs {
    finish,               // reply, then JobRemoved "done" a little later
    finish_before_reply,  // JobRemoved is on the wire before the reply
    never_finish,
    fail,  // JobRemoved "failed", the unit ends up failed
    canceled,
    dependency,
    never_reply,  // not even the reply to StopUnit
  };

  /// On the bus at this address.
  FakeSystemd(asio::io_context& io, const std::string& address);
  struct WithoutBus {
    std::string path;
  };
  /// As systemd's private socket: listens there for one client, no bus between.
  FakeSystemd(asio::io_context& io, const WithoutBus& place);
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;
  ~FakeSystemd();

  std::map<std::string, Unit> units;           // by primary id
  std::map<std::string, std::string> aliases;  // alias -> primary id
  Jobs jobs = Jobs::finish;
  std::string refuse_jobs_with;               // a D-Bus error name: StopUnit and StartUnit answer with it
  std::chrono::milliseconds settle_after{0};  // the unit's state follows the end of its job this late
  std::function<void()> before_reply;         // called when a job was queued, before it is answered
  std::string system_state = "running";
  /// What a transient unit's program does.
  struct Program {
    std::int32_t exit_status = 0;  // or the signal
    std::string output;
    std::string job_result;               // empty: "done", or "failed" by exit_status
    std::int32_t exit_code = CLD_EXITED;  // siginfo_t's si_code
  };
  Program program;
  std::uint64_t capabilities = 0;                 // of the last transient unit, a bit each
  std::vector<std::string> transient_properties;  // "NoNewPrivileges", in the order sent
  std::vector<std::string> calls;                 // "StopUnit ntpsec.service replace"
  bool subscribed = false;                        // without it no signals; a direct connection has them always

 private:
  struct Timer {
    explicit Timer(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
  };
  void accept();
  void watch_bus();
  static int dispatch(sd_bus_message* m, void* self, sd_bus_error* error);
  int handle(sd_bus_message* m);
  int queue_job(sd_bus_message* m, const std::string& verb);
  void settle(const std::string& id, const std::string& verb);
  void end_job(unsigned number, const std::string& id, const std::string& verb);
  int start_transient(sd_bus_message* m);
  void read_transient_property(sd_bus_message* m, std::string& command);
  int load_unit(sd_bus_message* m);
  int get_all(sd_bus_message* m);
  int get(sd_bus_message* m);
  Unit* find(const std::string& name);
  Unit* by_path(const char* path);
  void later(std::chrono::milliseconds after, std::function<void()> call);
  void pump();
  void wait();

  asio::io_context& io_;
  sd_bus* bus_ = nullptr;
  asio::posix::stream_descriptor descriptor_;
  asio::posix::stream_descriptor listener_;
  std::vector<std::shared_ptr<Timer>> timers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  unsigned job_number_ = 0;
};

}  // namespace clockmend::fakes
