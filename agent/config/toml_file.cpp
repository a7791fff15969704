#include "agent/config/toml_file.hpp"

#include <algorithm>
#include <chrono>

#define TOML_EXCEPTIONS 0
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

}  // namespace

TomlFile read_toml(std::string_view text, const std::string& file) {
  TomlFile out;
  const toml::parse_result parsed = toml::parse(text, std::string_view(file));
  if (!parsed) {
    const auto& error = parsed.error();
    out.problems.push_back(file + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
    return out;
  }
  for (const auto& [name, node] : parsed.table()) {
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
  return out;
}

}  // namespace clockmend::config
