// Text that others wrote, before it reaches terminals and the journal.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

namespace clockmend::core {

/// Everything but printable ASCII becomes '?': no control character of any encoding is left.
[[nodiscard]] inline std::string printable_ascii(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace clockmend::core
