// Private to this room: putting finished JSON texts together without parsing them again.
#pragma once

#include <string>
#include <string_view>

namespace clockmend::wire {

/// `object` (a non-empty JSON object) with a last member "id": id_json; unchanged if id_json is empty.
[[nodiscard]] inline std::string with_id(std::string object, std::string_view id_json) {
  if (id_json.empty()) return object;
  object.pop_back();
  object += ",\"id\":";
  object += id_json;
  object += '}';
  return object;
}

/// {"return": value_json, "id": id_json}
[[nodiscard]] inline std::string returned(std::string_view value_json, std::string_view id_json) {
  std::string text = "{\"return\":";
  text += value_json;
  text += '}';
  return with_id(std::move(text), id_json);
}

}  // namespace clockmend::wire
