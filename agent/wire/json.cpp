#include "agent/wire/json.hpp"

#include <exception>
#include <limits>
#include <utility>
#include <vector>

namespace clockmend::wire {
namespace {

/// Builds the value while nlohmann's lexer reads, and stops at the first breach of a limit.
class BoundedBuilder {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  explicit BoundedBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool null() { return add(Json()) != nullptr; }
  bool boolean(bool value) { return add(Json(value)) != nullptr; }
  bool number_integer(number_integer_t value) { return add(Json(value)) != nullptr; }
  bool number_unsigned(number_unsigned_t value) {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) return fail("a number is beyond 64 bits");
    return add(Json(static_cast<std::int64_t>(value))) != nullptr;
  }
  bool number_float(number_float_t, const string_t& text) {
    return fail("only whole 64-bit numbers are allowed, not " + shortened(text, 32));
  }
  bool string(string_t& text) { return add(Json(std::move(text))) != nullptr; }
  bool binary(binary_t&) { return fail("binary values are not allowed"); }

  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name) {
    Json& object = *stack_.back();
    if (object.size() >= limits_.keys_per_object)
      return fail("more than " + std::to_string(limits_.keys_per_object) + " keys in one object");
    if (object.contains(name)) return fail("key \"" + shortened(name) + "\" appears twice");
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
    return fail("not JSON at byte " + std::to_string(position));
  }

  [[nodiscard]] Json& root() { return root_; }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  bool fail(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
  }

  Json* add(Json value) {
    if (++values_ > limits_.values) {
      fail("too many values");
      return nullptr;
    }
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  bool open(Json container) {
    if (stack_.size() >= limits_.depth) return fail("nested deeper than " + std::to_string(limits_.depth));
    Json* added = add(std::move(container));
    if (added == nullptr) return false;
    stack_.push_back(added);  // stays valid: only the innermost container grows
    return true;
  }

  bool close() {
    stack_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> stack_;
  std::string key_;
  std::size_t values_ = 0;
  std::string why_;
};

bool continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

core::Result<Json> parse_bounded(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) return core::Error{core::ErrorCode::invalid, "longer than " + std::to_string(limits.bytes) + " bytes"};
  BoundedBuilder builder(limits);
  try {
    const bool complete = Json::sax_parse(text.begin(), text.end(), &builder);
    if (!complete) return core::Error{core::ErrorCode::invalid, builder.why().empty() ? "not JSON" : builder.why()};
  } catch (const std::exception& e) {
    return core::Error{core::ErrorCode::invalid, std::string("not JSON: ") + e.what()};
  }
  return std::move(builder.root());
}

std::string dump_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string dump_pretty(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit;
  while (end > 0 && continuation(text[end])) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace clockmend::wire
