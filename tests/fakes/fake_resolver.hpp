// Names and their addresses as the test says, answered in virtual time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/ports/resolver.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::fakes {

class FakeResolver final : public core::Resolver {
 public:
  explicit FakeResolver(FakeScheduler& scheduler) : scheduler_(scheduler) {}

  void set(const std::string& name, std::vector<std::string> addresses, core::nanoseconds delay = core::milliseconds{5}) {
    answers_[name] = Answer{std::move(addresses), {}, delay, false};
  }
  void fail(const std::string& name, core::Error error, core::nanoseconds delay = core::milliseconds{5}) {
    answers_[name] = Answer{{}, std::move(error), delay, false};
  }
  /// No reply at all: the look-up ends with its deadline.
  void hang(const std::string& name) { answers_[name].hangs = true; }

  [[nodiscard]] std::unique_ptr<core::Lookup> resolve(const std::string& name, core::milliseconds deadline,
                                                      std::function<void(core::Result<std::vector<std::string>>)> done) override {
    asked.push_back(name);
    const auto found = answers_.find(name);
    if (numeric(name)) return later({}, [name, done] { done(std::vector<std::string>{name}); });
    if (found == answers_.end()) return later({}, [name, done] { done(core::Error{core::ErrorCode::not_found, name + ": no such name"}); });
    const Answer answer = found->second;
    if (answer.hangs || answer.delay > deadline)
      return later(deadline, [name, done] { done(core::Error{core::ErrorCode::timeout, name + ": resolver did not answer"}); });
    if (answer.addresses.empty()) return later(answer.delay, [answer, done] { done(answer.error); });
    return later(answer.delay, [answer, done] { done(answer.addresses); });
  }

  std::vector<std::string> asked;  // every name looked up, in order

 private:
  struct Answer {
    std::vector<std::string> addresses;
    core::Error error;
    core::nanoseconds delay{};
    bool hangs = false;
  };
  struct FakeLookup final : core::Lookup {
    core::TimerHandle timer;
  };

  static bool numeric(const std::string& name) {
    return name.find(':') != std::string::npos || name.find_first_not_of("0123456789.") == std::string::npos;
  }
  std::unique_ptr<core::Lookup> later(core::nanoseconds delay, std::function<void()> call) {
    auto lookup = std::make_unique<FakeLookup>();
    lookup->timer = scheduler_.after(delay, std::move(call));
    return lookup;
  }

  FakeScheduler& scheduler_;
  std::map<std::string, Answer> answers_;
};

}  // namespace clockmend::fakes
