// What query, stop, start and system_stopping have in common.
#pragma once

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/os/systemd_session.hpp"

namespace clockmend::os {

/// Answers exactly once, from the loop and outside of any bus callback, no later than the deadline.
template <typename Value>
class AnsweringOperation : public SystemdOperation, public std::enable_shared_from_this<AnsweringOperation<Value>> {
 public:
  using Answer = core::Result<Value>;
  AnsweringOperation(std::shared_ptr<SystemdSession> session, std::string what, std::function<void(Answer)> reply)
      : session_(std::move(session)), what_(std::move(what)), reply_(std::move(reply)), deadline_(session_->io()) {}

  void set_deadline(core::milliseconds after) {
    deadline_.expires_after(after);
    deadline_.async_wait([weak = this->weak_from_this(), after](const asio::error_code& ec) {
      const auto self = weak.lock();
      if (ec || !self) return;
      self->fail({core::ErrorCode::timeout, self->what_ + ": " + self->progress() + " within " + std::to_string(after.count()) + " ms"});
    });
  }
  void job_removed(const std::string&, const std::string&) override {}
  void fail(core::Error error) override { answer(std::move(error)); }

 protected:
  /// How far it got, for the text of a missed deadline.
  [[nodiscard]] virtual std::string progress() const { return "no answer from systemd"; }
  virtual void drop_calls() = 0;

  void answer(Answer a) {
    const auto reply = std::exchange(reply_, nullptr);
    if (!reply) return;
    deadline_.cancel();
    drop_calls();
    asio::post(session_->io(), [session = session_, reply, a = std::move(a)] {
      if (!session->is_shut_down()) reply(a);
    });
    session_->finished(this->shared_from_this());
  }
  [[nodiscard]] bool answered() const { return !reply_; }
  [[nodiscard]] const std::string& what() const { return what_; }
  [[nodiscard]] SystemdSession& session() const { return *session_; }

 private:
  std::shared_ptr<SystemdSession> session_;
  std::string what_;
  std::function<void(Answer)> reply_;
  asio::steady_timer deadline_;
};

}  // namespace clockmend::os
