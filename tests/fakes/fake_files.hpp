// A tree of small files in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/core/ports/files.hpp"

namespace clockmend::fakes {

class FakeFiles final : public core::FileReader {
 public:
  std::map<std::string, std::string> files;   // absolute path -> content
  std::map<std::string, core::Error> errors;  // absolute path -> why it cannot be read
  std::vector<std::string> reads;             // every path asked for, in order
  std::vector<std::string> lists;             // every folder asked for, in order

  core::Result<std::string> read(const std::string& path, std::size_t limit) override {
    reads.push_back(path);
    if (const auto e = errors.find(path); e != errors.end()) return e->second;
    const auto found = files.find(path);
    if (found == files.end()) return core::Error{core::ErrorCode::not_found, path + ": no such file"};
    if (found->second.size() > limit)
      return core::Error{core::ErrorCode::invalid, path + ": larger than " + std::to_string(limit) + " bytes"};
    return found->second;
  }

  std::vector<std::string> list(const std::string& directory) override {
    lists.push_back(directory);
    std::vector<std::string> names;
    const auto prefix = directory + "/";
    for (const auto& [path, content] : files)
      if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos) names.push_back(path.substr(prefix.size()));
    return names;
  }
};

}  // namespace clockmend::fakes
