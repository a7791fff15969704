#include "agent/host/helper.hpp"

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <utility>

namespace clockmend::host {

namespace {

using core::Error;
using core::ErrorCode;

// A name has at most a few hundred bytes, a path 107, escaped up to three times as many.
constexpr std::size_t kMaxLine = 8192;
// ld.so's exit status where a library is missing; it has said on stderr which one.
constexpr int kNoLibrary = 127;

asio::awaitable<void> gather(Helper& helper, Helper::Deadline deadline, core::Result<std::vector<Domain>>& found) {
  std::vector<Domain> domains;
  for (;;) {
    core::Result<Feed> feed = co_await helper.next(deadline);
    if (!feed) {
      found = feed.error();
      co_return;
    }
    if (const auto* domain = std::get_if<Domain>(&*feed)) domains.push_back(*domain);
    if (std::holds_alternative<Listed>(*feed)) break;
  }
  found = std::move(domains);
}

}  // namespace

Helper::Helper(asio::io_context& loop) : output_(loop), watchdog_(loop), reader_(kMaxLine) {}

Helper::~Helper() {
  if (child_.end) child_.end();
}

core::Status Helper::start(const Spawn& spawn, const std::vector<std::string>& arguments) {
  core::Result<Child> child = spawn(arguments);
  if (!child) return child.error();
  child_ = std::move(*child);
  asio::error_code error;
  output_.assign(child_.output, error);
  if (error) return Error{ErrorCode::io, "clockmend-host-libvirt: " + error.message()};
  return core::success();
}

asio::awaitable<core::Result<Feed>> Helper::next(Deadline deadline) {
  for (;;) {
    if (const std::optional<Line> line = reader_.next()) {
      core::Result<Feed> feed = parse_feed(line->text);
      if (!feed) co_return Error{ErrorCode::unavailable, feed.error().text};
      if (const auto* error = std::get_if<Error>(&*feed)) co_return *error;
      co_return std::move(feed);
    }
    const std::shared_ptr<Watchdog> watchdog = arm(deadline);
    asio::error_code error;
    const std::size_t got = co_await output_.async_read_some(asio::buffer(buffer_), asio::redirect_error(asio::use_awaitable, error));
    watchdog->armed = false;
    watchdog_.cancel();
    if (watchdog->late) co_return Error{ErrorCode::timeout, "libvirt does not answer in time"};
    if (error) co_return ended();
    reader_.feed(std::string_view{buffer_.data(), got});
  }
}

// Its own object: a handler that was already queued when the read ended must touch nothing.
std::shared_ptr<Helper::Watchdog> Helper::arm(Deadline deadline) {
  auto watchdog = std::make_shared<Watchdog>();
  if (deadline == Deadline::max()) return watchdog;
  watchdog_.expires_at(deadline);
  watchdog_.async_wait([this, watchdog](const asio::error_code& cancelled) {
    if (cancelled || !watchdog->armed) return;
    watchdog->late = true;
    asio::error_code ignored;
    output_.cancel(ignored);
  });
  return watchdog;
}

Error Helper::ended() {
  const int status = child_.end ? child_.end() : 0;
  if (status == kNoLibrary) return {ErrorCode::unavailable, "libvirt's library cannot be loaded: install the package libvirt0"};
  return {ErrorCode::unavailable, "clockmend-host-libvirt ended (" + std::to_string(status) + ")"};
}

core::Result<std::vector<Domain>> ask_libvirt(const Spawn& spawn, const DomainQuery& query, core::nanoseconds deadline) {
  try {
    asio::io_context loop{1};
    Helper helper(loop);
    std::vector<std::string> words{query.names.empty() ? "list" : "find", query.uri};
    words.insert(words.end(), query.names.begin(), query.names.end());
    if (auto started = helper.start(spawn, words); !started) return started.error();
    asio::steady_timer end(loop, deadline);
    core::Result<std::vector<Domain>> found = Error{ErrorCode::io, "no answer"};
    asio::co_spawn(loop, gather(helper, end.expiry(), found), asio::detached);
    loop.run();
    return found;
  } catch (const std::exception& e) {
    return Error{ErrorCode::io, std::string{"event loop: "} + e.what()};
  }
}

}  // namespace clockmend::host
