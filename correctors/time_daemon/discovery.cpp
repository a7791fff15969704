#include "correctors/time_daemon/discovery.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "agent/core/printable.hpp"

namespace clockmend::correctors {
namespace {

constexpr std::array kFolders{"/etc/systemd/ntp-units.d", "/run/systemd/ntp-units.d", "/usr/local/lib/systemd/ntp-units.d",
                              "/usr/lib/systemd/ntp-units.d"};
constexpr std::size_t kMaxSize = std::size_t{16} * 1024;
constexpr std::size_t kMaxFiles = 32;
// All candidates are asked for at once, and no more than 64 requests to systemd may be under way.
constexpr std::size_t kMaxUnits = 24;
constexpr std::size_t kMaxNotes = 10;
constexpr std::size_t kMaxUnitName = 255;  // systemd.unit(5)

void note(Discovery& found, const std::string& text) {
  if (found.notes.size() < kMaxNotes) found.notes.push_back(core::printable_ascii(text));
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  const auto begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

/// One line of a list; a text if it is to be ignored for a reason worth a note.
std::string take(std::string_view line, Discovery& found) {
  if (line.empty() || line.front() == '#' || line.front() == ';') return {};
  if (!is_service_name(line)) return "\"" + std::string(line.substr(0, 80)) + "\" is not a service unit";
  if (std::ranges::find(found.units, line) != found.units.end()) return {};
  if (found.units.size() >= kMaxUnits) return "more than " + std::to_string(kMaxUnits) + " units are listed";
  found.units.emplace_back(line);
  return {};
}

void read_list(core::FileReader& files, const std::string& path, Discovery& found) {
  const auto text = files.read(path, kMaxSize);
  if (!text) return note(found, path + " is ignored: " + text.error().text);
  std::string_view rest = *text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    if (const std::string why = take(trimmed(rest.substr(0, end)), found); !why.empty())
      note(found, path + ":" + std::to_string(number) + ": ignored: " + why);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace

bool is_service_name(std::string_view text) {
  constexpr std::string_view kSuffix = ".service";
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  };
  return text.size() > kSuffix.size() && text.size() <= kMaxUnitName && text.ends_with(kSuffix) && std::ranges::all_of(text, allowed);
}

Discovery discover(core::FileReader& files) {
  std::map<std::string, std::string> lists;  // by file name: their order over all folders, and the first folder's wins
  for (const std::string folder : kFolders)
    for (const std::string& name : files.list(folder))
      if (name.ends_with(".list")) lists.emplace(name, folder + "/" + name);
  Discovery found;
  std::size_t read = 0;
  for (const auto& [name, path] : lists) {
    if (++read > kMaxFiles) {
      note(found, path + " and what follows is ignored: more than " + std::to_string(kMaxFiles) + " lists");
      break;
    }
    read_list(files, path, found);
  }
  return found;
}

}  // namespace clockmend::correctors
