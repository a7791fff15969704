#include "agent/host/libvirt/hypervisor.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "agent/host/libvirt/domain_xml.hpp"
#include "agent/host/lifecycle.hpp"

namespace clockmend::host {

namespace {

using core::ErrorCode;

static_assert(static_cast<int>(LifeEvent::started) == VIR_DOMAIN_EVENT_STARTED);
static_assert(static_cast<int>(LifeEvent::suspended) == VIR_DOMAIN_EVENT_SUSPENDED);
static_assert(static_cast<int>(LifeEvent::resumed) == VIR_DOMAIN_EVENT_RESUMED);
static_assert(static_cast<int>(LifeEvent::stopped) == VIR_DOMAIN_EVENT_STOPPED);
static_assert(static_cast<int>(LifeEvent::crashed) == VIR_DOMAIN_EVENT_CRASHED);
static_assert(static_cast<int>(StartedDetail::migrated) == VIR_DOMAIN_EVENT_STARTED_MIGRATED);
static_assert(static_cast<int>(StartedDetail::restored) == VIR_DOMAIN_EVENT_STARTED_RESTORED);
static_assert(static_cast<int>(StartedDetail::from_snapshot) == VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT);
static_assert(static_cast<int>(StartedDetail::wakeup) == VIR_DOMAIN_EVENT_STARTED_WAKEUP);
static_assert(static_cast<int>(SuspendedDetail::restored) == VIR_DOMAIN_EVENT_SUSPENDED_RESTORED);
static_assert(static_cast<int>(SuspendedDetail::from_snapshot) == VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT);
static_assert(static_cast<int>(ResumedDetail::migrated) == VIR_DOMAIN_EVENT_RESUMED_MIGRATED);
static_assert(static_cast<int>(ResumedDetail::from_snapshot) == VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT);
static_assert(static_cast<int>(ResumedDetail::postcopy) == VIR_DOMAIN_EVENT_RESUMED_POSTCOPY);
static_assert(static_cast<int>(ResumedDetail::postcopy_failed) == VIR_DOMAIN_EVENT_RESUMED_POSTCOPY_FAILED);

struct FreeDomain {
  void operator()(virDomain* domain) const { virDomainFree(domain); }
};
using OwnedDomain = std::unique_ptr<virDomain, FreeDomain>;

std::string last_words() {
  const char* words = virGetLastErrorMessage();
  return words == nullptr ? "libvirt does not say why" : words;
}

core::Error failure(const std::string& what) { return {ErrorCode::unavailable, what + ": " + last_words()}; }

// Errors are returned; libvirt shall not print them too.
void be_silent(void*, virErrorPtr) {}

int on_lifecycle(virConnectPtr, virDomainPtr domain, int event, int detail, void* self) {
  static_cast<Hypervisor*>(self)->heard(domain, event, detail);
  return 0;
}

void on_device(virConnectPtr, virDomainPtr domain, const char*, void* self) { static_cast<Hypervisor*>(self)->changed(domain); }

void on_close(virConnectPtr, int reason, void* self) { static_cast<Hypervisor*>(self)->lost(reason); }

std::string why_lost(int reason) {
  switch (reason) {
    case VIR_CONNECT_CLOSE_REASON_EOF:
      return "libvirt closed the connection";
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
      return "libvirt does not answer any more";
    default:
      return "the connection to libvirt broke";
  }
}

// The socket of a guest's port as it is now; empty where it has none we can use.
std::string socket_of(virDomainPtr domain) {
  char* xml = virDomainGetXMLDesc(domain, 0);
  if (xml == nullptr) return {};
  const core::Result<std::string> socket = channel_socket(xml);
  std::free(xml);
  return socket ? *socket : std::string{};
}

}  // namespace

Hypervisor::Hypervisor(Say say) : say_(std::move(say)) { virSetErrorFunc(nullptr, be_silent); }

Hypervisor::~Hypervisor() {
  if (connection_ != nullptr) virConnectClose(connection_);
}

core::Status Hypervisor::open(const std::string& uri) {
  // Before any connection, or its events never come (virEventRegisterDefaultImpl).
  if (virEventRegisterDefaultImpl() != 0) return failure("libvirt's event loop");
  connection_ = virConnectOpenReadOnly(uri.empty() ? nullptr : uri.c_str());
  if (connection_ == nullptr) return failure("cannot connect to libvirt" + (uri.empty() ? "" : " at " + uri));
  return core::success();
}

Domain Hypervisor::describe(virDomainPtr domain) const {
  Domain described;
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  virDomainGetUUIDString(domain, uuid);
  described.uuid = uuid;
  if (const char* name = virDomainGetName(domain)) described.name = name;
  int state = VIR_DOMAIN_NOSTATE;
  if (virDomainGetState(domain, &state, nullptr, 0) != 0) return described;
  described.active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED && state != VIR_DOMAIN_NOSTATE;
  described.running = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
  if (described.active) described.socket = socket_of(domain);
  return described;
}

core::Status Hypervisor::list() {
  virDomainPtr* domains = nullptr;
  const int count = virConnectListAllDomains(connection_, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  if (count < 0) return failure("cannot list the guests");
  for (int i = 0; i < count; ++i) {
    const OwnedDomain domain{domains[i]};
    say_(describe(domain.get()));
  }
  std::free(domains);
  say_(Listed{});
  return core::success();
}

core::Status Hypervisor::find(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const OwnedDomain domain{virDomainLookupByName(connection_, name.c_str())};
    if (domain) {
      say_(describe(domain.get()));
      continue;
    }
    if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN) return failure(name);
    say_(Domain{"-", name, "", false, false});
  }
  say_(Listed{});
  return core::success();
}

core::Status Hypervisor::subscribe() {
  const auto listen = [this](int kind, auto* callback) {
    return virConnectDomainEventRegisterAny(connection_, nullptr, kind, VIR_DOMAIN_EVENT_CALLBACK(callback), this, nullptr) >= 0;
  };
  if (!listen(VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_lifecycle)) return failure("cannot follow the guests' events");
  // A port that is plugged into a running guest, or out of it; drivers other than QEMU's may not have these events.
  static_cast<void>(listen(VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, on_device));
  static_cast<void>(listen(VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, on_device));
  if (virConnectRegisterCloseCallback(connection_, on_close, this, nullptr) != 0) return failure("cannot follow the connection");
  // No keepalive: over the local socket the kernel says at once when libvirtd has gone, and messages every few seconds would
  // wake both sides for nothing. A libvirtd that hangs sends no events either way.
  return core::success();
}

core::Error Hypervisor::follow() {
  // First the events, then the list: what happens in between is heard twice rather than never.
  if (auto subscribed = subscribe(); !subscribed) return subscribed.error();
  if (auto listed = list(); !listed) return listed.error();
  while (!lost_) {
    if (virEventRunDefaultImpl() != 0) return failure("libvirt's event loop");
  }
  return {ErrorCode::unavailable, why_lost(reason_)};
}

void Hypervisor::heard(virDomainPtr domain, int event, int detail) { say_(Lifecycle{describe(domain), event, detail}); }

void Hypervisor::changed(virDomainPtr domain) { say_(describe(domain)); }

void Hypervisor::lost(int reason) {
  lost_ = true;
  reason_ = reason;
}

}  // namespace clockmend::host
