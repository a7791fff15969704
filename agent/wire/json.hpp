// Private to this room: bounded JSON text <-> nlohmann values. Nothing outside agent/wire includes this.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/core/result.hpp"

namespace clockmend::wire {

/// Members keep their order: people read these documents.
using Json = nlohmann::ordered_json;

struct JsonLimits {
  std::size_t bytes = 0;
  std::size_t depth = 0;  // nested arrays and objects, the outermost counts 1
  std::size_t keys_per_object = 0;
  std::size_t values = 0;  // in the whole text
};

/// DESIGN section 9; 16 quadruples of 4 numbers are the largest legal request.
inline constexpr JsonLimits kRequestLimits{4096, 4, 16, 256};
inline constexpr JsonLimits kReportLimits{std::size_t{64} * 1024, 8, 48, 8192};
inline constexpr JsonLimits kStatusLimits{std::size_t{256} * 1024, 10, 64, 32768};

/// Strict JSON of bounded size: duplicate keys, fractions, exponents and integers beyond int64 are errors, as is anything
/// after the value. Checked while reading, so nothing larger than the limits is ever built.
[[nodiscard]] core::Result<Json> parse_bounded(std::string_view text, const JsonLimits& limits);

/// Bytes that are not UTF-8 become U+FFFD: a device's name must not make status unreadable.
[[nodiscard]] std::string dump_line(const Json& json);
[[nodiscard]] std::string dump_pretty(const Json& json);

/// At most `limit` bytes of `text`, cut before a broken UTF-8 sequence: for error texts that quote the sender.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t limit = 64);

}  // namespace clockmend::wire
