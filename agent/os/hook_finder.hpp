// Programs of the administrator in hooks.d: which of them may be run.
#pragma once

#include <sys/types.h>

#include <string>

#include "agent/core/ports/hooks.hpp"

namespace clockmend::os {

class FolderHookFinder final : public core::HookFinder {
 public:
  /// `owner`: who must own folder and programs; tests are not root.
  explicit FolderHookFinder(std::string root = {}, uid_t owner = 0) : root_(std::move(root)), owner_(owner) {}

  core::HookFiles find(const std::string& directory) override;

 private:
  std::string root_;
  uid_t owner_;
};

}  // namespace clockmend::os
