// /run/clockmend/journal as recovery reads it. Input: the file.
#include "agent/app/journal_file.hpp"
#include "agent/wire/journal_line.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace core = clockmend::core;
namespace wire = clockmend::wire;
using clockmend::fuzz::must;

namespace {

constexpr const char* kBoot = "11111111-2222-3333-4444-555555555555";

class NoWriter final : public core::FileWriter {
 public:
  core::Status replace(const std::string&, const std::string&, bool) override { return core::success(); }
  core::Status append(const std::string&, const std::string&, bool) override { return core::success(); }
  core::Status remove(const std::string&) override { return core::success(); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  const std::string text(in.text());
  const auto journal = wire::parse_journal(text);
  must(journal.records.size() <= 1000, "records are bounded");
  for (const auto& record : journal.records) {
    const auto line = wire::journal_line(record);
    must(line.find('\n') == std::string::npos, "a record is one line", line);
    const auto again = wire::parse_journal_line(line);
    must(static_cast<bool>(again), "a record survives being written", line);
    must(*again == record, "a record means the same after being written", line);
  }
  clockmend::fakes::FakeFiles files;
  files.files["/run/clockmend/journal"] = text;
  NoWriter writer;
  clockmend::fakes::FakeClock clock;
  clockmend::app::JournalFile file(files, writer, clock, "/run/clockmend/journal", kBoot);
  for (const auto& unit : file.left_behind()) {
    bool announced = false;
    for (const auto& record : journal.records)
      for (const auto& known : record.units) announced = announced || (record.boot_id == kBoot && known == unit);
    must(announced, "only a unit that this boot's journal names is started", unit.unit);
  }
  if (const auto left = file.interrupted()) must(left->units == file.left_behind(), "the record names the units that are started");
  return 0;
}
