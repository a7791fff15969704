// A program of our own that runs beside us and writes to a pipe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

class ChildProgram {
 public:
  /// `path` is absolute; its stdin is empty, its stderr is ours. not_found: no such program.
  [[nodiscard]] static core::Result<std::unique_ptr<ChildProgram>> start(const std::string& path,
                                                                         const std::vector<std::string>& arguments);
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;
  /// Kills it where it still runs.
  ~ChildProgram();

  /// The reading end of its stdout, for the caller to close. Once.
  [[nodiscard]] int take_output() { return output_.release(); }
  /// Kills it where it still runs, and returns its exit status, or 128 + signal as a shell does.
  int end();

 private:
  ChildProgram(int pid, UniqueFd output) : pid_(pid), output_(std::move(output)) {}

  int pid_;
  int status_ = 0;
  UniqueFd output_;
};

/// The folder of the program that runs this code; empty where /proc is not there.
[[nodiscard]] std::string own_folder();

}  // namespace clockmend::os
