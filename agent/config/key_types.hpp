// Private to this room: makers of KeySpec, one per type of value.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/keys.hpp"

namespace clockmend::config {

struct KeyName {
  const char* table;
  const char* key;
  const char* help;
};

using Problem = std::optional<std::string>;

[[nodiscard]] inline std::string in_quotes(std::string_view text) { return "\"" + std::string(text.substr(0, 80)) + "\""; }

[[nodiscard]] inline std::string wrong_type(const char* expected, const Value& value) {
  return std::string("must be ") + expected + ", not " + type_name(value);
}

/// `at(settings)` names the member, whose own resolution (ms, s, ...) the text must not be finer than.
template <typename At>
KeySpec duration_key(KeyName name, core::nanoseconds low, core::nanoseconds high, At at) {
  using Member = std::remove_cvref_t<decltype(at(std::declval<core::Settings&>()))>;
  const std::string range = duration_text(low) + " .. " + duration_text(high);
  auto set = [=](const Value& value, core::Settings& settings) -> Problem {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      return "a duration needs its unit: write for example \"" + std::to_string(*number) + " ms\" or \"" + std::to_string(*number) + " s\"";
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return wrong_type("a duration such as \"100 ms\"", value);
    const auto parsed = parse_duration(*text);
    if (!parsed) return parsed.error().text;
    if (*parsed < low || *parsed > high) return in_quotes(*text) + " is outside " + range;
    if (*parsed % Member(1) != core::nanoseconds::zero()) return in_quotes(*text) + " is finer than " + duration_text(Member(1));
    at(settings) = std::chrono::duration_cast<Member>(*parsed);
    return std::nullopt;
  };
  auto show = [at](const core::Settings& settings) { return "\"" + duration_text(at(settings)) + "\""; };
  return {name.table, name.key, "duration, " + range, name.help, set, show};
}

template <typename At>
KeySpec flag_key(KeyName name, At at) {
  auto set = [at](const Value& value, core::Settings& settings) -> Problem {
    const auto* flag = std::get_if<bool>(&value);
    if (flag == nullptr) return wrong_type("true or false", value);
    at(settings) = *flag;
    return std::nullopt;
  };
  auto show = [at](const core::Settings& settings) -> std::string { return at(settings) ? "true" : "false"; };
  return {name.table, name.key, "true | false", name.help, set, show};
}

template <typename At>
KeySpec number_key(KeyName name, std::int64_t low, std::int64_t high, At at) {
  using Member = std::remove_cvref_t<decltype(at(std::declval<core::Settings&>()))>;
  const std::string range = std::to_string(low) + " .. " + std::to_string(high);
  auto set = [=](const Value& value, core::Settings& settings) -> Problem {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr) return wrong_type("a whole number", value);
    if (*number < low || *number > high) return std::to_string(*number) + " is outside " + range;
    at(settings) = static_cast<Member>(*number);
    return std::nullopt;
  };
  auto show = [at](const core::Settings& settings) { return std::to_string(at(settings)); };
  return {name.table, name.key, "whole number, " + range, name.help, set, show};
}

/// One of a few words; `words[i]` stands for `values[i]`.
template <typename T, typename At>
KeySpec word_key(KeyName name, std::vector<std::pair<std::string, T>> words, At at) {
  std::string takes;
  std::vector<std::string> names;
  for (const auto& word : words) {
    takes += (takes.empty() ? "\"" : " | \"") + word.first + "\"";
    names.push_back(word.first);
  }
  auto set = [=](const Value& value, core::Settings& settings) -> Problem {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return wrong_type(("one of " + takes).c_str(), value);
    for (const auto& word : words) {
      if (word.first != *text) continue;
      at(settings) = word.second;
      return std::nullopt;
    }
    const auto meant = nearest(*text, names);
    return in_quotes(*text) + " is not one of " + takes + (meant ? "; did you mean " + in_quotes(*meant) + "?" : "");
  };
  auto show = [=](const core::Settings& settings) {
    for (const auto& word : words) {
      if (word.second == at(settings)) return "\"" + word.first + "\"";
    }
    return std::string("\"\"");
  };
  return {name.table, name.key, takes, name.help, set, show};
}

/// Free text that `check` accepts (nullopt) or rejects with a reason.
template <typename At>
KeySpec text_key(KeyName name, const char* takes, Problem (*check)(const std::string&), At at) {
  auto set = [=](const Value& value, core::Settings& settings) -> Problem {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return wrong_type("a string", value);
    if (Problem problem = check(*text)) return problem;
    at(settings) = *text;
    return std::nullopt;
  };
  auto show = [at](const core::Settings& settings) { return "\"" + at(settings) + "\""; };
  return {name.table, name.key, takes, name.help, set, show};
}

template <typename At>
KeySpec list_key(KeyName name, const char* takes, std::size_t most, Problem (*check)(const std::string&), At at) {
  auto set = [=](const Value& value, core::Settings& settings) -> Problem {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr) return wrong_type("a list of strings", value);
    if (list->size() > most) return "has more than " + std::to_string(most) + " elements";
    for (const std::string& element : *list) {
      if (Problem problem = check(element)) return problem;
      if (std::count(list->begin(), list->end(), element) > 1) return in_quotes(element) + " is listed twice";
    }
    at(settings) = *list;
    return std::nullopt;
  };
  auto show = [at](const core::Settings& settings) {
    std::string text = "[";
    for (const std::string& element : at(settings)) text += (text.size() > 1 ? ", \"" : "\"") + element + "\"";
    return text + "]";
  };
  return {name.table, name.key, takes, name.help, set, show};
}

}  // namespace clockmend::config
