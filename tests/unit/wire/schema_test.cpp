// Holds packaging/schema/status.schema.json against what is really written: the part of JSON Schema draft-07 it uses.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/wire/report.hpp"
#include "agent/wire/status.hpp"
#include "tests/unit/wire/samples.hpp"

namespace clockmend::tests {
namespace {

using nlohmann::json;

json load_schema() {
  std::ifstream file(CLOCKMEND_STATUS_SCHEMA);
  return json::parse(std::string(std::istreambuf_iterator<char>(file), {}), nullptr, false);
}

class Checker {
 public:
  explicit Checker(const json& schema) : root_(schema) {}

  void check(const json& value, const json& schema, const std::string& at) {
    for (const auto& [word, argument] : schema.items()) keyword(word, argument, value, schema, at);
  }
  std::vector<std::string> problems;

 private:
  static bool has_type(const json& value, const std::string& type) {
    if (type == "integer") return value.is_number_integer();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  void problem(const std::string& at, const std::string& what) { problems.push_back(at + ": " + what); }

  void keyword(const std::string& word, const json& argument, const json& value, const json& schema, const std::string& at) {
    if (word == "type") {
      const json types = argument.is_array() ? argument : json::array({argument});
      if (std::none_of(types.begin(), types.end(), [&](const json& t) { return has_type(value, t); }))
        problem(at, "is not " + argument.dump());
    } else if (word == "const") {
      if (value != argument) problem(at, "is not " + argument.dump());
    } else if (word == "enum") {
      if (std::find(argument.begin(), argument.end(), value) == argument.end()) problem(at, value.dump() + " is not in " + argument.dump());
    } else if (word == "minimum") {
      if (value < argument) problem(at, "is below " + argument.dump());
    } else if (word == "maximum") {
      if (value > argument) problem(at, "is above " + argument.dump());
    } else if (word == "$ref") {
      check(value, root_.at(json::json_pointer(argument.get<std::string>().substr(1))), at);
    } else if (word == "anyOf") {
      any_of(argument, value, at);
    } else if (word == "required") {
      for (const auto& name : argument) {
        if (!value.contains(name)) problem(at, "lacks " + name.dump());
      }
    } else if (word == "properties") {
      properties(argument, value, at);
    } else if (word == "items") {
      for (const json& item : value) check(item, argument, at + "[]");
    } else if (word != "description" && word != "title" && word != "definitions" && word[0] != '$') {
      problem(at, "the schema uses \"" + word + "\", which this test does not know");
    }
    static_cast<void>(schema);
  }

  void any_of(const json& choices, const json& value, const std::string& at) {
    std::vector<std::string> inner;
    for (const json& choice : choices) {
      Checker one(root_);
      one.check(value, choice, at);
      if (one.problems.empty()) return;
      if (!(choice.value("type", "") == "null")) inner.insert(inner.end(), one.problems.begin(), one.problems.end());
    }
    problems.insert(problems.end(), inner.begin(), inner.end());
  }

  /// The published schema leaves room for members of later versions; this test does not: all that is written is described.
  void properties(const json& known, const json& value, const std::string& at) {
    for (const auto& [name, member] : value.items()) {
      if (!known.contains(name)) {
        problem(at, "\"" + name + "\" is not described");
      } else {
        check(member, known.at(name), at + "/" + name);
      }
    }
  }

  const json& root_;
};

std::string problems_of(const json& value, const json& schema, const json& root) {
  Checker checker(root);
  checker.check(value, schema, "");
  std::string text;
  for (const std::string& problem : checker.problems) text += problem + "\n";
  return text;
}

TEST(StatusSchema, DescribesExactlyWhatIsWritten) {
  const json schema = load_schema();
  ASSERT_FALSE(schema.is_discarded()) << CLOCKMEND_STATUS_SCHEMA << " is not JSON";
  EXPECT_EQ(problems_of(json::parse(wire::status_pretty(sample_status())), schema, schema), "");
  EXPECT_EQ(problems_of(json::parse(wire::status_line(core::AgentStatus{})), schema, schema), "");
  EXPECT_EQ(problems_of(json::parse(wire::report_line(sample_report())), schema.at("definitions").at("report"), schema), "");
}

TEST(StatusSchema, AllThatIsDescribedIsRequired) {
  const json schema = load_schema();
  std::vector<json> objects(schema.at("definitions").begin(), schema.at("definitions").end());
  objects.push_back(schema);
  for (const json& object : objects) {
    for (const auto& [name, ignored] : object.at("properties").items()) {
      const json& required = object.at("required");
      EXPECT_NE(std::find(required.begin(), required.end(), name), required.end()) << name;
    }
  }
}

template <typename Enum>
void expect_all_named(const json& words) {
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(words[i], to_string(static_cast<Enum>(i))) << words.dump();
}

TEST(StatusSchema, EnumsListEveryWord) {
  const json schema = load_schema();
  const json& defs = schema.at("definitions");
  expect_all_named<core::ClockState>(schema.at("properties").at("state").at("enum"));
  EXPECT_STREQ(to_string(static_cast<core::ClockState>(schema.at("properties").at("state").at("enum").size())), "?");
  const auto complete = [&defs]<typename Enum>(const char* definition, const char* member, Enum) {
    const json& words = defs.at(definition).at("properties").at(member).at("enum");
    expect_all_named<Enum>(words);
    EXPECT_STREQ(to_string(static_cast<Enum>(words.size())), "?") << definition << "." << member;
  };
  complete("reading", "witness", core::Witness{});
  complete("notice", "event", core::NoticeEvent{});
  complete("discontinuity", "cause", core::Cause{});
  complete("action", "kind", core::ActionKind{});
  complete("report", "outcome", core::Outcome{});
  complete("probe", "state", core::ProbeState{});
}

/// The checker itself: a wrong document must not pass.
TEST(StatusSchema, TheCheckFindsWhatIsWrong) {
  const json schema = load_schema();
  const json good = json::parse(wire::status_line(sample_status()));
  json bad = good;
  bad.erase("void_after_ms");
  EXPECT_NE(problems_of(bad, schema, schema), "");
  bad = good;
  bad["last_correction"]["actions"][0]["kind"] = "pray";
  EXPECT_NE(problems_of(bad, schema, schema), "");
  bad = good;
  bad["clock"]["error_bound_ns"] = "2 ms";
  EXPECT_NE(problems_of(bad, schema, schema), "");
  bad = good;
  bad["probes"][0]["colour"] = 1;
  EXPECT_NE(problems_of(bad, schema, schema), "");
}

}  // namespace
}  // namespace clockmend::tests
