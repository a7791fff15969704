#include "tests/fakes/fake_systemd.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace clockmend::fakes {
namespace {

constexpr const char* kName = "org.freedesktop.systemd1";
constexpr const char* kRoot = "/org/freedesktop/systemd1";
constexpr const char* kUnits = "/org/freedesktop/systemd1/unit";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr std::chrono::milliseconds kJobTime{5};

std::string unit_path(const std::string& id) {
  char* path = nullptr;
  if (::sd_bus_path_encode(kUnits, id.c_str(), &path) < 0) return kUnits;
  std::string text = path;
  std::free(path);
  return text;
}

std::string job_path(unsigned number) { return std::string(kRoot) + "/job/" + std::to_string(number); }

const char* result_of(FakeSystemd::Jobs jobs) {
  switch (jobs) {
    case FakeSystemd::Jobs::fail:
      return "failed";
    case FakeSystemd::Jobs::canceled:
      return "canceled";
    case FakeSystemd::Jobs::dependency:
      return "dependency";
    case FakeSystemd::Jobs::finish:
    case FakeSystemd::Jobs::finish_before_reply:
    case FakeSystemd::Jobs::never_finish:
    case FakeSystemd::Jobs::never_reply:
      return "done";
  }
  return "done";
}

void check(int rc, const char* what) {
  if (rc < 0) throw std::runtime_error(std::string("fake systemd: ") + what);
}

void append_text(sd_bus_message* m, const char* name, const std::string& value) {
  check(::sd_bus_message_append(m, "{sv}", name, "s", value.c_str()), name);
}

}  // namespace

FakeSystemd::FakeSystemd(asio::io_context& io, const std::string& address) : io_(io), descriptor_(io), listener_(io) {
  check(::sd_bus_new(&bus_), "new");
  check(::sd_bus_set_address(bus_, address.c_str()), "address");
  check(::sd_bus_set_bus_client(bus_, 1), "client");
  check(::sd_bus_start(bus_), "start");
  check(::sd_bus_request_name(bus_, kName, 0), "name");
  watch_bus();
}

FakeSystemd::FakeSystemd(asio::io_context& io, const WithoutBus& place) : io_(io), descriptor_(io), listener_(io) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, place.path.c_str(), sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  check(fd, "socket");
  check(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  check(::listen(fd, 1), "listen");
  listener_.assign(fd);
  subscribed = true;
  accept();
}

void FakeSystemd::accept() {
  listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const asio::error_code& ec) {
    if (ec || !*alive) return;
    const int fd = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    check(fd, "accept");
    sd_id128_t id{};
    check(::sd_id128_randomize(&id), "id");
    check(::sd_bus_new(&bus_), "new");
    check(::sd_bus_set_fd(bus_, fd, fd), "fd");
    check(::sd_bus_set_server(bus_, 1, id), "server");
    check(::sd_bus_start(bus_), "start");
    watch_bus();
  });
}

void FakeSystemd::watch_bus() {
  check(::sd_bus_add_fallback(bus_, nullptr, kRoot, &FakeSystemd::dispatch, this), "object");
  descriptor_.assign(::dup(::sd_bus_get_fd(bus_)));
  pump();  // sd-bus may have read already, and only waits for its turn to answer
}

FakeSystemd::~FakeSystemd() {
  *alive_ = false;
  asio::error_code ignored;
  descriptor_.close(ignored);
  listener_.close(ignored);
  ::sd_bus_close_unref(bus_);
}

void FakeSystemd::wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const asio::error_code& ec) {
    if (!ec && *alive) pump();
  });
}

void FakeSystemd::pump() {
  int rc = 1;
  while (rc > 0) rc = ::sd_bus_process(bus_, nullptr);
  if (rc < 0) return;  // the bus is gone
  ::sd_bus_flush(bus_);
  wait();
}

void FakeSystemd::later(std::chrono::milliseconds after, std::function<void()> call) {
  const auto timer = timers_.emplace_back(std::make_shared<Timer>(io_));
  timer->timer.expires_after(after);
  timer->timer.async_wait([this, alive = alive_, call](const asio::error_code& ec) {
    if (ec || !*alive) return;
    call();
    ::sd_bus_flush(bus_);
  });
}

int FakeSystemd::dispatch(sd_bus_message* m, void* self, sd_bus_error*) { return static_cast<FakeSystemd*>(self)->handle(m); }

int FakeSystemd::handle(sd_bus_message* m) {
  const std::string_view member = ::sd_bus_message_get_member(m);
  if (member == "Subscribe") {
    subscribed = true;
    return ::sd_bus_reply_method_return(m, "");
  }
  if (member == "StopUnit" || member == "StartUnit") return queue_job(m, std::string(member));
  if (member == "StartTransientUnit") return start_transient(m);
  if (member == "ResetFailedUnit") {
    calls.emplace_back("ResetFailedUnit");
    return ::sd_bus_reply_method_return(m, "");
  }
  if (member == "LoadUnit") return load_unit(m);
  if (member == "GetAll") return get_all(m);
  if (member == "Get") return get(m);
  return 0;
}

FakeSystemd::Unit* FakeSystemd::find(const std::string& name) {
  const auto alias = aliases.find(name);
  const auto found = units.find(alias == aliases.end() ? name : alias->second);
  return found == units.end() ? nullptr : &found->second;
}

FakeSystemd::Unit* FakeSystemd::by_path(const char* path) {
  char* name = nullptr;
  if (::sd_bus_path_decode(path, kUnits, &name) <= 0) return nullptr;
  Unit* unit = find(name);
  std::free(name);
  return unit;
}

int FakeSystemd::queue_job(sd_bus_message* m, const std::string& verb) {
  const char* name = nullptr;
  const char* mode = nullptr;
  check(::sd_bus_message_read(m, "ss", &name, &mode), "arguments");
  calls.push_back(verb + " " + name + " " + mode);
  if (!refuse_jobs_with.empty()) {
    return ::sd_bus_reply_method_errorf(m, refuse_jobs_with.c_str(), "refused by the test: %s", name);
  }
  Unit* unit = find(name);
  if (unit == nullptr) return ::sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not loaded.", name);
  if (verb == "StartUnit" && unit->load_state == "masked") {
    return ::sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.UnitMasked", "Unit %s is masked.", name);
  }
  if (before_reply) before_reply();
  if (jobs == Jobs::never_reply) return 1;
  const unsigned number = ++job_number_;
  const std::string id = unit->id;
  if (jobs == Jobs::finish_before_reply) end_job(number, id, verb);
  const int rc = ::sd_bus_reply_method_return(m, "o", job_path(number).c_str());
  if (jobs == Jobs::never_finish || jobs == Jobs::finish_before_reply) return rc;
  later(kJobTime, [this, number, id, verb] { end_job(number, id, verb); });
  return rc;
}

void FakeSystemd::end_job(unsigned number, const std::string& id, const std::string& verb) {
  const char* result = result_of(jobs);
  if (settle_after.count() == 0) {
    settle(id, verb);
  } else {
    later(settle_after, [this, id, verb] { settle(id, verb); });
  }
  if (!subscribed) return;  // as the real one: signals only for subscribers
  ::sd_bus_emit_signal(bus_, kRoot, kManager, "JobRemoved", "uoss", 9999U, job_path(9999).c_str(), "other.service", "done");
  ::sd_bus_emit_signal(bus_, kRoot, kManager, "JobRemoved", "uoss", number, job_path(number).c_str(), id.c_str(), result);
}

void FakeSystemd::settle(const std::string& id, const std::string& verb) {
  Unit* unit = find(id);
  if (unit == nullptr || jobs == Jobs::canceled || jobs == Jobs::dependency) return;
  if (jobs == Jobs::fail) {
    unit->active_state = unit->sub_state = "failed";
    unit->result = "exit-code";
    return;
  }
  const bool start = verb == "StartUnit";
  unit->active_state = start ? "active" : "inactive";
  unit->sub_state = start ? "running" : "dead";
  unit->invocation = start ? "fedcba9876543210" : "";
}

void FakeSystemd::read_transient_property(sd_bus_message* m, std::string& command) {
  const char* name = nullptr;
  check(::sd_bus_message_read(m, "s", &name), "property");
  transient_properties.emplace_back(name);
  const std::string_view property = name;
  if (property == "StandardOutputFileDescriptor") {
    int fd = -1;
    check(::sd_bus_message_read(m, "v", "h", &fd), "descriptor");
    if (::write(fd, program.output.data(), program.output.size()) < 0) throw std::runtime_error("fake systemd: write");
    return;
  }
  if (property == "CapabilityBoundingSet") return check(::sd_bus_message_read(m, "v", "t", &capabilities), "capabilities");
  if (property != "ExecStart") return check(::sd_bus_message_skip(m, "v"), "value");
  check(::sd_bus_message_enter_container(m, 'v', "a(sasb)"), "v");
  check(::sd_bus_message_enter_container(m, 'a', "(sasb)"), "a");
  check(::sd_bus_message_enter_container(m, 'r', "sasb"), "r");
  check(::sd_bus_message_read(m, "s", &name), "path");
  check(::sd_bus_message_enter_container(m, 'a', "s"), "as");
  while (::sd_bus_message_read(m, "s", &name) > 0) command += std::string("[") + name + "]";
  check(::sd_bus_message_exit_container(m), "as");
  check(::sd_bus_message_skip(m, "b"), "b");
  for (int open = 0; open < 3; ++open) check(::sd_bus_message_exit_container(m), "exit");
}

int FakeSystemd::start_transient(sd_bus_message* m) {
  const char* name = nullptr;
  const char* mode = nullptr;
  check(::sd_bus_message_read(m, "ss", &name, &mode), "arguments");
  std::string command;
  check(::sd_bus_message_enter_container(m, 'a', "(sv)"), "properties");
  while (::sd_bus_message_enter_container(m, 'r', "sv") > 0) {
    read_transient_property(m, command);
    check(::sd_bus_message_exit_container(m), "property");
  }
  calls.push_back("StartTransientUnit " + std::string(mode) + " " + command);
  if (!refuse_jobs_with.empty()) return ::sd_bus_reply_method_errorf(m, refuse_jobs_with.c_str(), "refused by the test: %s", name);
  const unsigned number = ++job_number_;
  const int rc = ::sd_bus_reply_method_return(m, "o", job_path(number).c_str());
  if (jobs == Jobs::never_finish) return rc;
  std::string result = program.job_result;
  if (result.empty()) result = program.exit_status == 0 ? "done" : "failed";
  later(kJobTime, [this, number, id = std::string(name), result] {
    ::sd_bus_emit_signal(bus_, kRoot, kManager, "JobRemoved", "uoss", number, job_path(number).c_str(), id.c_str(), result.c_str());
  });
  return rc;
}

int FakeSystemd::load_unit(sd_bus_message* m) {
  const char* name = nullptr;
  check(::sd_bus_message_read(m, "s", &name), "arguments");
  calls.push_back(std::string("LoadUnit ") + name);
  if (find(name) == nullptr) units[name] = {name, "not-found", "inactive", "dead", "success", ""};
  return ::sd_bus_reply_method_return(m, "o", unit_path(find(name)->id).c_str());
}

int FakeSystemd::get_all(sd_bus_message* m) {
  const Unit* unit = by_path(::sd_bus_message_get_path(m));
  if (unit == nullptr) return 0;
  sd_bus_message* reply = nullptr;
  check(::sd_bus_message_new_method_return(m, &reply), "reply");
  check(::sd_bus_message_open_container(reply, 'a', "{sv}"), "a");
  append_text(reply, "Id", unit->id);
  // Kinds of values that a reader must skip.
  check(::sd_bus_message_append(reply, "{sv}", "Names", "as", 2, unit->id.c_str(), "alias.service"), "Names");
  check(::sd_bus_message_append(reply, "{sv}", "Conditions", "a(sbbsi)", 1, "ConditionPathExists", 0, 1, "/x", 1), "Conditions");
  check(::sd_bus_message_append(reply, "{sv}", "ActiveEnterTimestamp", "t", std::uint64_t{1}), "t");
  append_text(reply, "LoadState", unit->load_state);
  append_text(reply, "ActiveState", unit->active_state);
  append_text(reply, "SubState", unit->sub_state);
  check(::sd_bus_message_open_container(reply, 'e', "sv"), "e");
  check(::sd_bus_message_append(reply, "s", "InvocationID"), "s");
  check(::sd_bus_message_open_container(reply, 'v', "ay"), "v");
  check(::sd_bus_message_append_array(reply, 'y', unit->invocation.data(), unit->invocation.size()), "y");
  check(::sd_bus_message_close_container(reply), "v");
  check(::sd_bus_message_close_container(reply), "e");
  check(::sd_bus_message_close_container(reply), "a");
  const int rc = ::sd_bus_send(nullptr, reply, nullptr);
  ::sd_bus_message_unref(reply);
  return rc;
}

int FakeSystemd::get(sd_bus_message* m) {
  const char* interface = nullptr;
  const char* property = nullptr;
  check(::sd_bus_message_read(m, "ss", &interface, &property), "arguments");
  if (std::string_view(property) == "SystemState") return ::sd_bus_reply_method_return(m, "v", "s", system_state.c_str());
  if (std::string_view(property) == "ExecMainCode") return ::sd_bus_reply_method_return(m, "v", "i", program.exit_code);
  if (std::string_view(property) == "ExecMainStatus") return ::sd_bus_reply_method_return(m, "v", "i", program.exit_status);
  const Unit* unit = by_path(::sd_bus_message_get_path(m));
  if (unit == nullptr || unit->load_state != "loaded") {
    return ::sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.UnknownInterface", "Unknown interface %s.", interface);
  }
  return ::sd_bus_reply_method_return(m, "v", "s", unit->result.c_str());
}

}  // namespace clockmend::fakes
