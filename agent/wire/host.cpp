#include "agent/wire/host.hpp"

#include "agent/wire/json.hpp"

namespace clockmend::wire {

std::string measured_reply(const Measured& measured) {
  Json json;
  json["return"]["offset-ns"] = measured.offset_ns;
  json["return"]["error-ns"] = measured.error_ns;
  json["return"]["round-trip-ns"] = measured.round_trip_ns;
  json["return"]["rounds"] = measured.rounds;
  return dump_line(json);
}

std::string guest_line(std::string_view target, std::string_view verdict, int code, std::string_view reply) {
  Json json;
  json["target"] = target;
  json["verdict"] = verdict;
  json["code"] = code;
  std::string line = dump_line(json);
  while (!reply.empty() && reply.back() == '\n') reply.remove_suffix(1);
  if (reply.size() < 3 || reply.front() != '{') return line;
  line.back() = ',';
  line += reply.substr(1);
  return line;
}

std::string summary_line(const Tally& tally) {
  Json json;
  json["summary"]["guests"] = tally.guests;
  json["summary"]["done"] = tally.done;
  json["summary"]["failed"] = tally.guests - tally.done;
  json["summary"]["code"] = tally.code;
  return dump_line(json);
}

}  // namespace clockmend::wire
