// Small files, read and replaced under a root prefix.
#pragma once

#include <string>

#include "agent/core/ports/files.hpp"

namespace clockmend::os {

class PosixFileReader final : public core::FileReader {
 public:
  explicit PosixFileReader(std::string root = {}) : root_(std::move(root)) {}

  core::Result<std::string> read(const std::string& path, std::size_t limit) override;
  std::vector<std::string> list(const std::string& directory) override;

 private:
  std::string root_;
};

class PosixFileWriter final : public core::FileWriter {
 public:
  explicit PosixFileWriter(std::string root = {}) : root_(std::move(root)) {}

  /// Files are created with mode 0644: who may see them is the directory's business.
  core::Status replace(const std::string& path, const std::string& content, bool durable) override;
  core::Status append(const std::string& path, const std::string& line, bool durable) override;
  /// A file that is not there counts as removed.
  core::Status remove(const std::string& path) override;

 private:
  std::string root_;
};

/// Makes sure that `path` is a real directory (not a symbolic link) owned by us that others cannot write to; creates it
/// with `mode` if its parent exists.
[[nodiscard]] core::Status require_directory(const std::string& path, unsigned mode);

}  // namespace clockmend::os
