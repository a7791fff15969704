#include "agent/config/config.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/checks.hpp"
#include "agent/config/keys.hpp"
#include "agent/config/toml_file.hpp"
#include "agent/core/printable.hpp"

namespace clockmend::config {
namespace {

constexpr std::size_t kMaxDropIns = 100;

class Loader {
 public:
  void file(core::FileReader& files, const std::string& path, bool may_be_missing);
  void contradiction_checks();
  [[nodiscard]] core::Result<core::Settings> result() &&;
  void problem(std::string text) {
    if (problems_.size() < kMaxProblems) problems_.push_back(core::printable_ascii(std::move(text)));
  }

 private:
  struct Origin {
    std::string place;
    std::size_t order = 0;
  };

  void entry(const Entry& entry);
  [[nodiscard]] static const KeySpec* find(const Entry& entry);
  [[nodiscard]] static std::string unknown(const Entry& entry);

  core::Settings settings_;
  std::map<std::string, Origin> origins_;
  std::vector<std::string> problems_;
  std::size_t order_ = 0;
};

bool has_table(const std::string& name) {
  return std::any_of(all_keys().begin(), all_keys().end(), [&name](const KeySpec& spec) { return spec.table == name; });
}

std::string suggestion(const std::string& typo, const std::vector<std::string>& candidates, const std::string& before,
                       const std::string& after) {
  const auto meant = nearest(typo, candidates);
  return meant ? "; did you mean " + before + *meant + after + "?" : "";
}

std::string unknown_table(const Entry& entry) {
  std::vector<std::string> tables;
  for (const KeySpec& spec : all_keys()) tables.push_back(spec.table);
  return entry.place() + ": [" + entry.table.substr(0, 64) + "]: unknown table" + suggestion(entry.table, tables, "[", "]");
}

}  // namespace

const KeySpec* Loader::find(const Entry& entry) {
  for (const KeySpec& spec : all_keys()) {
    if (spec.table == entry.table && spec.key == entry.key) return &spec;
  }
  return nullptr;
}

std::string Loader::unknown(const Entry& entry) {
  if (!entry.table.empty() && !has_table(entry.table)) return unknown_table(entry);
  std::vector<std::string> here;
  for (const KeySpec& spec : all_keys()) {
    if (spec.table == entry.table) here.push_back(spec.key);
  }
  std::string text = entry.place() + ": " + entry.name().substr(0, 128) + ": unknown key";
  if (entry.table.empty()) text += " (every key belongs to a [table])";
  for (const KeySpec& spec : all_keys()) {
    if (spec.key == entry.key && spec.table != entry.table) return text + "; did you mean " + spec.table + "." + spec.key + "?";
  }
  return text + suggestion(entry.key, here, entry.table + ".", "");
}

void Loader::entry(const Entry& entry) {
  const KeySpec* spec = find(entry);
  if (spec == nullptr) {
    if (!(entry.key.empty() && has_table(entry.table))) problem(unknown(entry));
    return;
  }
  if (const auto why = spec->set(entry.value, settings_)) {
    problem(entry.place() + ": " + entry.name() + ": " + *why);
    return;
  }
  origins_[entry.name()] = {entry.place(), ++order_};
}

void Loader::file(core::FileReader& files, const std::string& path, bool may_be_missing) {
  const auto text = files.read(path, kMaxFileSize);
  if (!text) {
    if (may_be_missing && text.error().code == core::ErrorCode::not_found) return;
    problem(path + ": " + text.error().text);
    return;
  }
  TomlFile toml = read_toml(*text, path);
  for (std::string& text_problem : toml.problems) problem(std::move(text_problem));
  for (const Entry& e : toml.entries) entry(e);
}

/// Blames the key that came last: before it, all was well.
void Loader::contradiction_checks() {
  for (const Contradiction& found : contradictions(settings_)) {
    const auto first = origins_.find(found.first);
    const auto second = origins_.find(found.second);
    const bool second_later = second != origins_.end() && (first == origins_.end() || second->second.order > first->second.order);
    const auto blamed = second_later ? second : first;
    const std::string place = blamed == origins_.end() ? "defaults" : blamed->second.place;
    problem(place + ": " + (second_later ? found.second + ": contradicts " + found.first + ", which " : found.first + ": ") + found.why);
  }
}

core::Result<core::Settings> Loader::result() && {
  if (!problems_.empty()) {
    std::string text;
    for (const std::string& line : problems_) text += (text.empty() ? "" : "\n") + line;
    return core::Error{core::ErrorCode::invalid, text};
  }
  // "stop-first" touches no clock while a time daemon runs: telling one afterwards is no alternative then.
  if (settings_.policy.sequence == core::Sequence::stop_first) settings_.daemon.action = core::DaemonAction::restart;
  for (const auto& [name, origin] : origins_) settings_.origins.push_back(origin.place + " " + name);
  return std::move(settings_);
}

core::Result<core::Settings> load(core::FileReader& files, const core::Paths& paths) {
  Loader loader;
  loader.file(files, paths.config, true);
  std::size_t drop_ins = 0;
  for (const std::string& name : files.list(paths.config_dir)) {
    if (name.starts_with('.') || !name.ends_with(".toml")) continue;
    if (++drop_ins > kMaxDropIns) {
      loader.problem(paths.config_dir + ": more than " + std::to_string(kMaxDropIns) + " files");
      break;
    }
    // May have gone since the listing; a missing drop-in is none.
    loader.file(files, paths.config_dir + "/" + name, true);
  }
  loader.contradiction_checks();
  return std::move(loader).result();
}

std::string describe_defaults() {
  const core::Settings defaults;
  std::string text;
  std::string table;
  for (const KeySpec& spec : all_keys()) {
    if (spec.table != table) {
      text += (table.empty() ? "[" : "\n[") + spec.table + "]\n";
      table = spec.table;
    }
    text += "# " + spec.help + "\n# " + spec.takes + "\n#" + spec.key + " = " + spec.show(defaults) + "\n";
  }
  return text;
}

}  // namespace clockmend::config
