#include "agent/os/udev_devices.hpp"

#include <libudev.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <cerrno>
#include <utility>

#include "agent/os/descriptor.hpp"
#include "agent/os/device_table.hpp"

namespace clockmend::os {
namespace {

struct UdevClose {
  void operator()(udev* u) const { ::udev_unref(u); }
  void operator()(udev_monitor* m) const { ::udev_monitor_unref(m); }
  void operator()(udev_device* d) const { ::udev_device_unref(d); }
};
template <typename T>
using Owned = std::unique_ptr<T, UdevClose>;

constexpr int kEventsPerWakeup = 32;
// libudev asks for 128 MiB of kernel memory. Hundreds of events fit into this; what does not is found by listing afresh.
constexpr int kReceiveBuffer = 256 * 1024;

std::string text_or_empty(const char* text) { return text == nullptr ? std::string{} : std::string{text}; }

}  // namespace

struct UdevDevices::State : std::enable_shared_from_this<State> {
  State(asio::io_context& i, std::string r) : io(i), root(std::move(r)), descriptor(i) {}

  core::Status open_monitor();
  void wait();
  void drain();
  bool receive_one();
  void take(udev_device& device);
  void relist() {
    ++listings;
    deliver(table.listed(scan_sysfs(root)));
  }
  void deliver(const std::vector<core::DeviceEvent>& events) {
    for (const auto& e : events) {
      if (on_event) on_event(e);
    }
  }

  asio::io_context& io;
  std::string root;
  asio::posix::stream_descriptor descriptor;  // a duplicate: libudev owns the monitor's own
  Owned<udev> context;
  Owned<udev_monitor> monitor;
  DeviceTable table;
  unsigned listings = 0;
  std::function<void(const core::DeviceEvent&)> on_event;
};

core::Status UdevDevices::State::open_monitor() {
  if (!root.empty()) return core::Error{core::ErrorCode::unsupported, "no device monitor under a root prefix"};
  context.reset(::udev_new());
  if (!context) return errno_error(errno, "udev_new");
  // Without udevd nobody sends on its netlink group; the kernel's own events then serve as well.
  const char* source = ::access("/run/udev/control", F_OK) == 0 ? "udev" : "kernel";
  monitor.reset(::udev_monitor_new_from_netlink(context.get(), source));
  if (!monitor) return errno_error(errno, "udev monitor");
  (void)::udev_monitor_set_receive_buffer_size(monitor.get(), kReceiveBuffer);
  for (const char* subsystem : kKernelSubsystems) {
    ::udev_monitor_filter_add_match_subsystem_devtype(monitor.get(), subsystem, nullptr);
  }
  if (const int rc = ::udev_monitor_enable_receiving(monitor.get()); rc < 0) return errno_error(-rc, "udev monitor");
  UniqueFd copy{::dup(::udev_monitor_get_fd(monitor.get()))};
  if (!copy) return errno_error(errno, "udev monitor");
  return adopt(descriptor, std::move(copy));
}

void UdevDevices::State::wait() {
  descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
    if (!ec && self->on_event) self->drain();
  });
}

void UdevDevices::State::drain() {
  bool more = true;
  for (int i = 0; i < kEventsPerWakeup && more && on_event; ++i) more = receive_one();
  // After an overrun the listing comes when the queue is empty: what is queued now is older than what was lost.
  if (!more && table.needs_listing() && on_event) relist();
  if (on_event) wait();
}

bool UdevDevices::State::receive_one() {
  errno = 0;
  const Owned<udev_device> device{::udev_monitor_receive_device(monitor.get())};
  if (device) {
    take(*device);
    return true;
  }
  if (errno == ENOBUFS) table.overrun();  // the socket's buffer was full: some events are lost
  return errno == ENOBUFS || errno == EINTR;
}

void UdevDevices::State::take(udev_device& device) {
  const std::string kernel_name = text_or_empty(::udev_device_get_sysname(&device));
  const std::string action = text_or_empty(::udev_device_get_action(&device));
  // vmgenid is told by its driver: "bind" and "unbind" are its coming and going.
  if (action == "remove" || action == "unbind") return deliver(table.removed(kernel_name));
  DeviceTable::Device found;
  found.subsystem =
      watched_as(text_or_empty(::udev_device_get_subsystem(&device)), kernel_name, text_or_empty(::udev_device_get_driver(&device)));
  if (found.subsystem.empty()) return;
  const std::string syspath = text_or_empty(::udev_device_get_syspath(&device));
  found.devnode = text_or_empty(::udev_device_get_devnode(&device));
  found.name = device_name(found.subsystem, kernel_name, syspath);
  found.instance = instance_of(syspath);
  deliver(table.seen(kernel_name, std::move(found), action == "change"));
}

UdevDevices::UdevDevices(asio::io_context& io, std::string root) : state_(std::make_shared<State>(io, std::move(root))) {}

UdevDevices::~UdevDevices() {
  state_->on_event = nullptr;
  asio::error_code ignored;
  state_->descriptor.close(ignored);
}

unsigned UdevDevices::listings() const { return state_->listings; }

core::Status UdevDevices::start(std::function<void(const core::DeviceEvent&)> on_event) {
  state_->on_event = std::move(on_event);
  auto monitoring = state_->open_monitor();
  if (monitoring) state_->wait();
  // Listed after the monitor listens, so that nothing falls between.
  asio::post(state_->io, [state = state_] {
    if (state->on_event) state->relist();
  });
  return monitoring;
}

}  // namespace clockmend::os
