#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/core/result.hpp"

namespace clockmend::core {

/// Small regular files, read whole. All paths go through a root prefix (tests point it at a tree of their own).
class FileReader {
 public:
  virtual ~FileReader() = default;
  /// invalid if larger than `limit`, not_found if absent; never follows into devices or FIFOs.
  virtual Result<std::string> read(const std::string& path, std::size_t limit) = 0;
  /// Names in a directory, sorted; empty if it does not exist. At most 1000.
  virtual std::vector<std::string> list(const std::string& directory) = 0;
};

/// Files that must survive a crash in one piece.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  /// Writes a temporary file beside `path` and renames it over (no reader sees half a file); fsync when `durable`.
  virtual Status replace(const std::string& path, const std::string& content, bool durable) = 0;
  /// Appends one line; fsync when `durable`.
  virtual Status append(const std::string& path, const std::string& line, bool durable) = 0;
  virtual Status remove(const std::string& path) = 0;
};

}  // namespace clockmend::core
