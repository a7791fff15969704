// What the parsers of other programs' configuration share: bounded lines and words, and what comes out of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/ntp/address_book.hpp"

namespace clockmend::probes::ntp {

/// Another file or directory the text refers to.
struct Include {
  enum class What {
    file,       // one file; chrony and ntpd allow '*' in the last component
    directory,  // all files in it that end in `suffix`
  };
  What what = What::file;
  std::string path;
  std::string suffix;
  friend bool operator==(const Include&, const Include&) = default;
};

/// What one configuration text says. Nothing here has been resolved or read.
struct ServerText {
  std::vector<ServerName> servers;
  std::vector<Include> includes;
  std::vector<std::string> notes;  // what was ignored, and why

  /// Adds a server if `host` can be one; a note otherwise. Bounded: at most 64 servers and 16 notes.
  void add_server(std::string_view host, std::uint16_t port = 123);
  void note(std::string text);
};

/// At most 2000 lines of at most 1024 characters, without '\r'; longer ones are dropped.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
/// Words separated by spaces and tabs, at most 64.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view line);
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace clockmend::probes::ntp
