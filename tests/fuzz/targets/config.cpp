// clockmend.toml and its drop-ins. Input: files, separated by form feeds.
#include "agent/config/config.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fuzz/targets/input.hpp"

using clockmend::fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  const clockmend::core::Paths paths;
  clockmend::fakes::FakeFiles files;
  files.files[paths.config] = std::string(in.text_until('\f'));
  for (int i = 0; i < 4 && !in.empty(); ++i)
    files.files[paths.config_dir + "/" + std::to_string(i) + ".toml"] = std::string(in.text_until('\f'));
  const auto settings = clockmend::config::load(files, paths);
  if (settings) return 0;
  const std::string& text = settings.error().text;
  must(settings.error().code == clockmend::core::ErrorCode::invalid && !text.empty(), "a mistake has a reason");
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin <= text.size(); ++lines) {
    const auto end = std::min(text.find('\n', begin), text.size());
    must(text.compare(begin, 5, "/etc/") == 0 || text.compare(begin, 9, "defaults:") == 0, "each problem names its file", text);
    begin = end + 1;
  }
  must(lines <= clockmend::config::kMaxProblems, "problems are bounded", text);
  must(text.size() <= clockmend::config::kMaxProblems * 2048, "problems are short", text);
  clockmend::fuzz::must_be_harmless(text);
  return 0;
}
