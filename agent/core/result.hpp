// Result<T>: a value or an Error, shaped like std::expected (which libstdc++ 12 has only for C++23).
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace clockmend::core {

enum class ErrorCode {
  not_found,      // no such device, file, unit or name
  not_permitted,  // EPERM/EACCES, denied by polkit
  busy,           // held by another process
  timeout,        // the deadline passed
  unsupported,    // the kernel or device cannot do it
  invalid,        // bad input: the text says what and where
  unavailable,    // the other side is not there now; may come back
  cancelled,      // given up because something newer arrived
  io,             // anything else the kernel reported
};

/// Why something failed, in words for the operator: what was tried, on what, and the kernel's reason.
struct Error {
  ErrorCode code = ErrorCode::io;
  std::string text;
};

struct Done {};  // the value of a Result that has nothing to say but success

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Done>;
[[nodiscard]] inline Status success() { return Done{}; }

}  // namespace clockmend::core
