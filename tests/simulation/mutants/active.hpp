// Which mutant this process is. Included by the mutated copies only.
#pragma once

#include <cstdlib>

namespace clockmend::mutants {

/// True in the run of mutant `number` (environment CLOCKMEND_MUTANT); unset or 0: the program as it is.
inline bool on(int number) {
  static const int active = [] {
    const char* text = std::getenv("CLOCKMEND_MUTANT");
    return text == nullptr ? 0 : std::atoi(text);
  }();
  return number == active;
}

}  // namespace clockmend::mutants
