#include "agent/host/watch/follower.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace clockmend::host {

namespace {

// A libvirtd that restarts is back within a second; one that is stopped costs one try in ten seconds.
constexpr core::milliseconds kFirstPause{250};
constexpr core::milliseconds kLongestPause{10000};
// The list of a thousand guests with their XML takes a second or two.
constexpr core::seconds kListDeadline{30};

}  // namespace

Follower::Follower(asio::io_context& loop, Spawn spawn, std::string uri, Listener listener)
    : loop_(loop), spawn_(std::move(spawn)), uri_(std::move(uri)), listener_(std::move(listener)), pause_(loop) {}

void Follower::start() { asio::co_spawn(loop_, run(), asio::detached); }

asio::awaitable<void> Follower::run() {
  core::milliseconds pause = kFirstPause;
  for (;;) {
    listed_ = false;
    const core::Error lost = co_await follow_once();
    listener_.on_lost(lost.text);
    pause = listed_ ? kFirstPause : std::min(pause * 2, kLongestPause);
    pause_.expires_after(pause);
    asio::error_code ignored;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

asio::awaitable<core::Error> Follower::follow_once() {
  Helper helper(loop_);
  const core::Status started = helper.start(spawn_, {"follow", uri_});
  if (!started) co_return started.error();
  asio::steady_timer list_deadline(loop_, kListDeadline);
  for (;;) {
    const core::Result<Feed> feed = co_await helper.next(listed_ ? Helper::Deadline::max() : list_deadline.expiry());
    if (!feed) co_return feed.error();
    hear(*feed);
  }
}

void Follower::hear(const Feed& feed) {
  if (const auto* domain = std::get_if<Domain>(&feed)) listener_.on_domain(*domain);
  if (const auto* life = std::get_if<Lifecycle>(&feed)) listener_.on_life(*life);
  if (std::holds_alternative<Listed>(feed)) {
    listed_ = true;
    listener_.on_listed();
  }
}

}  // namespace clockmend::host
