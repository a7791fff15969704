#include "agent/os/cares_lookup.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "agent/os/descriptor.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kMaxAddresses = 16;
// The first server is asked again, or the next one asked, after this long (c-ares doubles it each round): a dead first
// resolver must not eat the whole deadline.
constexpr int kTryMilliseconds = 700;
constexpr int kLookupTries = 3;
constexpr int kEdnsSize = 1232;  // never fragmented, even with IPv6's smallest MTU

core::Error lookup_error(int status, const std::string& name) {
  const std::string text = "cannot resolve " + name + ": " + ::ares_strerror(status);
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
      return {core::ErrorCode::not_found, text};
    case ARES_EBADNAME:
      return {core::ErrorCode::invalid, text};
    case ARES_ETIMEOUT:
      return {core::ErrorCode::timeout, text};
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
      return {core::ErrorCode::unavailable, text};
    default:
      return {core::ErrorCode::io, text};
  }
}

std::string numeric(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  }
  return text;
}

std::vector<std::string> addresses_of(const ares_addrinfo* found) {
  std::vector<std::string> texts;
  for (const ares_addrinfo_node* n = found->nodes; n != nullptr && texts.size() < kMaxAddresses; n = n->ai_next) {
    std::string text = numeric(n->ai_addr);
    if (!text.empty() && std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

CaresLookup::CaresLookup(asio::io_context& io, std::string name, DoneCall done)
    : io_(io), name_(std::move(name)), done_(std::move(done)), timer_(io) {}

CaresLookup::~CaresLookup() { close_channel(); }

void CaresLookup::start(const ResolverPlace& place, core::milliseconds deadline) {
  deadline_ = std::chrono::steady_clock::now() + deadline;
  if (auto opened = open_channel(place); !opened) return answer_soon(opened.error());
  ask();
  if (answer_) return answer_soon(*answer_);  // from /etc/hosts, or refused at once
  arm_timer();
}

void CaresLookup::abandon() {
  done_ = nullptr;
  timer_.cancel();
  close_channel();
}

core::Status CaresLookup::open_channel(const ResolverPlace& place) {
  ares_options options{};
  std::string lookups = "fb";  // /etc/hosts, then DNS
  std::string resolv_conf = place.resolv_conf;
  options.flags = ARES_FLAG_EDNS;  // answers beyond 512 bytes without TCP: a name may have many addresses
  options.ednspsz = kEdnsSize;
  options.timeout = kTryMilliseconds;
  options.tries = kLookupTries;
  options.lookups = lookups.data();
  options.sock_state_cb = &CaresLookup::on_socket_state;
  options.sock_state_cb_data = this;
  int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
  if (!resolv_conf.empty()) {
    options.resolvconf_path = resolv_conf.data();
    mask |= ARES_OPT_RESOLVCONF;
  }
  int status = ::ares_init_options(&channel_, &options, mask);
  if (status == ARES_SUCCESS && !place.servers.empty()) status = ::ares_set_servers_ports_csv(channel_, place.servers.c_str());
  if (status != ARES_SUCCESS) return lookup_error(status, name_);
  return core::success();
}

void CaresLookup::ask() {
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = ARES_AI_NOSORT;  // sorting would connect a socket per address just to learn its source address
  ::ares_getaddrinfo(channel_, name_.c_str(), nullptr, &hints, &CaresLookup::on_addresses, this);
}

// Runs inside c-ares: nothing may be destroyed here, so the answer only is put down.
void CaresLookup::on_addresses(void* self, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owner{found, ::ares_freeaddrinfo};
  auto& lookup = *static_cast<CaresLookup*>(self);
  if (status == ARES_EDESTRUCTION || lookup.answer_) return;
  auto texts = status == ARES_SUCCESS ? addresses_of(found) : std::vector<std::string>{};
  if (texts.empty()) {
    lookup.answer_ = lookup_error(status == ARES_SUCCESS ? ARES_ENODATA : status, lookup.name_);
  } else {
    lookup.answer_ = std::move(texts);
  }
}

void CaresLookup::on_socket_state(void* self, ares_socket_t fd, int readable, int writable) {
  static_cast<CaresLookup*>(self)->watch(fd, readable != 0, writable != 0);
}

void CaresLookup::watch(ares_socket_t fd, bool readable, bool writable) {
  auto found = watches_.find(fd);
  if (!readable && !writable) {  // c-ares closes it next
    if (found == watches_.end()) return;
    found->second->want_read = found->second->want_write = false;
    (void)found->second->descriptor.release();
    watches_.erase(found);
    return;
  }
  if (found == watches_.end()) {
    auto fresh = std::make_shared<Watch>(io_);
    asio::error_code ec;
    fresh->descriptor.assign(fd, ec);
    if (ec) return;  // the deadline ends it
    found = watches_.emplace(fd, std::move(fresh)).first;
  }
  found->second->want_read = readable;
  found->second->want_write = writable;
  arm(found->second);
}

void CaresLookup::arm(const std::shared_ptr<Watch>& watch) {
  if (watch->want_read && !watch->reading) wait(watch, false);
  if (watch->want_write && !watch->writing) wait(watch, true);
}

void CaresLookup::wait(const std::shared_ptr<Watch>& watch, bool writing) {
  (writing ? watch->writing : watch->reading) = true;
  const auto what = writing ? asio::posix::stream_descriptor::wait_write : asio::posix::stream_descriptor::wait_read;
  watch->descriptor.async_wait(what, [self = shared_from_this(), watch, writing](const asio::error_code& ec) {
    (writing ? watch->writing : watch->reading) = false;
    if (!ec && self->channel_ != nullptr) self->ready(watch, writing);
  });
}

void CaresLookup::ready(const std::shared_ptr<Watch>& watch, bool writing) {
  const bool wanted = writing ? watch->want_write : watch->want_read;
  if (!wanted) return;
  const int fd = watch->descriptor.native_handle();
  ::ares_process_fd(channel_, writing ? ARES_SOCKET_BAD : fd, writing ? fd : ARES_SOCKET_BAD);
  if (answer_) return settle();
  arm(watch);
  arm_timer();
}

void CaresLookup::arm_timer() {
  timeval most{};
  timeval next{};
  auto when = deadline_;
  const auto left = std::max(deadline_ - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
  most.tv_sec = std::chrono::duration_cast<core::seconds>(left).count();
  most.tv_usec = std::chrono::duration_cast<core::microseconds>(left % core::seconds{1}).count();
  if (const timeval* t = ::ares_timeout(channel_, &most, &next)) {
    const auto at = std::chrono::steady_clock::now() + core::seconds{t->tv_sec} + core::microseconds{t->tv_usec};
    when = std::min(when, at);
  }
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](const asio::error_code& ec) {
    if (!ec && self->channel_ != nullptr) self->on_timer();
  });
}

void CaresLookup::on_timer() {
  ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  if (!answer_ && std::chrono::steady_clock::now() >= deadline_) {
    answer_ = core::Error{core::ErrorCode::timeout, "cannot resolve " + name_ + ": no answer in time"};
  }
  if (answer_) return settle();
  arm_timer();
}

void CaresLookup::settle() {
  timer_.cancel();
  close_channel();
  const DoneCall done = std::exchange(done_, nullptr);
  if (done) done(std::move(*answer_));
}

void CaresLookup::answer_soon(Answer answer) {
  answer_ = std::move(answer);
  asio::post(io_, [self = shared_from_this()] { self->settle(); });
}

void CaresLookup::close_channel() {
  if (channel_ == nullptr) return;
  // ares_destroy() reports each socket as unwanted before closing it, which empties watches_.
  ::ares_destroy(std::exchange(channel_, nullptr));
  for (auto& [fd, watch] : watches_) (void)watch->descriptor.release();
  watches_.clear();
}

}  // namespace clockmend::os
