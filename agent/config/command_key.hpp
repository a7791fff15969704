// Private to this room: a program with its arguments.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "agent/config/key_types.hpp"

namespace clockmend::config {

inline constexpr std::size_t kMostWords = 16;
inline constexpr std::size_t kLongestWord = 1024;

/// What is wrong with it as a command; the first word is the program's own path, since no shell looks for it.
[[nodiscard]] inline Problem check_command(const std::vector<std::string>& words) {
  if (words.size() > kMostWords) return "has more than " + std::to_string(kMostWords) + " words";
  if (!words.empty() && !words.front().starts_with('/')) return in_quotes(words.front()) + " is not an absolute path";
  for (const std::string& word : words)
    if (word.size() > kLongestWord || word.find('\0') != std::string::npos) return in_quotes(word) + " is too long, or has a zero byte";
  return std::nullopt;
}

template <typename At>
KeySpec command_key(KeyName name, At at) {
  auto set = [at](const Value& value, core::Settings& settings) -> Problem {
    const auto* words = std::get_if<std::vector<std::string>>(&value);
    if (words == nullptr) return wrong_type("a list of strings", value);
    if (Problem problem = check_command(*words)) return problem;
    at(settings) = *words;
    return std::nullopt;
  };
  auto show = [at](const core::Settings& settings) {
    std::string text = "[";
    for (const std::string& word : at(settings)) text += (text.size() > 1 ? ", \"" : "\"") + word + "\"";
    return text + "]";
  };
  return {name.table, name.key, "program and arguments, up to 16 strings", name.help, set, show};
}

}  // namespace clockmend::config
