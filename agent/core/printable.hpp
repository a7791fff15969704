// Text that others wrote, before it reaches terminals and the journal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace clockmend::core {

/// Everything but printable ASCII becomes '?': no control character of any encoding is left.
[[nodiscard]] inline std::string printable_ascii(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

/// Control characters become spaces, letters of every language stay.
[[nodiscard]] inline std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; }, ' ');
  // C1 controls (U+0080..U+009F) are C2 80..C2 9F in UTF-8, and some terminals obey them.
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\xc2' && static_cast<unsigned char>(text[i + 1]) < 0xa0U) text.replace(i, 2, "  ");
  }
  return text;
}

/// The first line that says anything, at most `most` characters of it; "no output" if none does.
[[nodiscard]] inline std::string first_line(const std::string& output, std::size_t most = 120) {
  const auto begin = output.find_first_not_of("\r\n ");
  if (begin == std::string::npos) return "no output";
  return printable_ascii(output.substr(begin, std::min(output.find_first_of("\r\n", begin) - begin, most)));
}

}  // namespace clockmend::core
