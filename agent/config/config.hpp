// TOML text to checked settings.
#pragma once

#include <cstddef>
#include <string>

#include "agent/core/ports/files.hpp"
#include "agent/core/result.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::config {

inline constexpr std::size_t kMaxFileSize = std::size_t{256} * 1024;
inline constexpr std::size_t kMaxProblems = 20;

/// Reads paths.config, then paths.config_dir/*.toml in lexical order; the later one wins, key by key. A missing main file
/// means defaults. On any mistake nothing is taken: `invalid`, with one line per problem (at most kMaxProblems):
///   FILE:LINE: TABLE.KEY: what is wrong
[[nodiscard]] core::Result<core::Settings> load(core::FileReader& files, const core::Paths& paths);

/// A commented sample: every key with its meaning, unit, range and default, all commented out.
[[nodiscard]] std::string describe_defaults();

}  // namespace clockmend::config
