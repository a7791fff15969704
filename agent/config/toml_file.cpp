#include "agent/config/toml_file.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>

namespace clockmend::config {

struct CheckFailed : std::logic_error {
  CheckFailed() : std::logic_error("this is not TOML") {}
};

constexpr void toml_check(bool held) {
  if (!held) throw CheckFailed();
}

}  // namespace clockmend::config

// On some broken input the library (3.3.0) runs into its own assertions, e.g. in a date that ends in "T:". They become errors
// like any other, in release builds too: a configuration file must never end the agent.
#undef NDEBUG
#define TOML_ASSERT(condition) ::clockmend::config::toml_check(static_cast<bool>(condition))
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace clockmend::config {
namespace {

/// Midnight UTC for a date alone; a date with time needs its offset ("...Z"), else it would depend on somebody's zone.
Value date_value(const toml::date_time& value) {
  if (!value.offset) return OtherType{"a date and time without its offset (end it with Z)"};
  const std::chrono::year_month_day date{std::chrono::year{value.date.year}, std::chrono::month{value.date.month},
                                         std::chrono::day{value.date.day}};
  const auto time = std::chrono::hours(value.time.hour) + std::chrono::minutes(value.time.minute - value.offset->minutes) +
                    std::chrono::seconds(value.time.second);
  const core::seconds whole = std::chrono::sys_days(date).time_since_epoch() + time;
  // Nanoseconds in 64 bits end in 2262.
  if (!date.ok() || date.year() > std::chrono::year{2260} || date.year() < std::chrono::year{1970}) return OtherType{"a date out of range"};
  return core::RealtimePoint(whole);
}

Value array_value(const toml::array& array) {
  std::vector<std::string> list;
  for (const toml::node& node : array) {
    const auto* text = node.as_string();
    if (text == nullptr) return OtherType{"a list that holds more than strings"};
    list.push_back(text->get());
  }
  return list;
}

Value value_of(const toml::node& node) {
  if (const auto* v = node.as_string()) return v->get();
  if (const auto* v = node.as_integer()) return v->get();
  if (const auto* v = node.as_boolean()) return v->get();
  if (const auto* v = node.as_array()) return array_value(*v);
  if (const auto* v = node.as_date_time()) return date_value(v->get());
  if (const auto* v = node.as_date()) return date_value(toml::date_time{v->get(), toml::time{}, toml::time_offset{}});
  if (node.is_table()) return OtherType{"a table"};
  if (node.is_floating_point()) return OtherType{"a number with a fraction"};
  return OtherType{"a time of day"};
}

void add(TomlFile& out, const std::string& file, const std::string& table, const toml::key& key, const toml::node& node) {
  out.entries.push_back({file, key.source().begin.line, table, std::string(key.str()), value_of(node)});
}

void flatten(TomlFile& out, const toml::table& root, const std::string& file) {
  for (const auto& [name, node] : root) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      add(out, file, "", name, node);
      continue;
    }
    if (table->empty()) {  // an unknown table is worth an error even without keys in it
      out.entries.push_back({file, name.source().begin.line, std::string(name.str()), "", OtherType{"a table"}});
    }
    for (const auto& [key, member] : *table) add(out, file, std::string(name.str()), key, member);
  }
  std::stable_sort(out.entries.begin(), out.entries.end(), [](const Entry& a, const Entry& b) { return a.line < b.line; });
}

/// No key takes anything but ASCII; elsewhere (comments) it does not matter. This also spares the library's tables of letters,
/// which have no answer for some code points.
std::string ascii_only(std::string_view text) {
  std::string ascii(text);
  std::replace_if(
      ascii.begin(), ascii.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80U; }, '?');
  return ascii;
}

bool check_fails(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
  } catch (const CheckFailed&) {
    return true;
  } catch (const std::exception&) {
  }
  return false;
}

/// The line at which a failed check comes up: the parser reads from top to bottom, so every text that reaches it fails.
std::size_t line_of_failed_check(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ends.push_back(i + 1);
  }
  ends.push_back(text.size());
  const auto first = std::partition_point(ends.begin(), ends.end(), [text](std::size_t end) { return !check_fails(text.substr(0, end)); });
  return static_cast<std::size_t>(first - ends.begin()) + 1;
}

}  // namespace

TomlFile read_toml(std::string_view text, const std::string& file) {
  TomlFile out;
  const std::string ascii = ascii_only(text);
  const auto problem = [&](std::size_t line, const std::string& why) {
    out.problems.push_back(file + ":" + std::to_string(line) + ": " + why);
  };
  try {
    flatten(out, toml::parse(ascii, std::string_view(file)), file);
  } catch (const CheckFailed& error) {
    problem(line_of_failed_check(ascii), error.what());
  } catch (const toml::parse_error& error) {
    problem(error.source().begin.line, std::string(error.description()));
  } catch (const std::exception& error) {
    problem(1, error.what());
  }
  return out;
}

}  // namespace clockmend::config
