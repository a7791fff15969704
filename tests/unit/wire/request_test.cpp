#include "agent/wire/request.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace clockmend::tests {
namespace {

using wire::ErrorClass;
using wire::parse_request;
using wire::RequestError;

const RequestError* error_of(const wire::ParsedRequest& parsed) { return std::get_if<RequestError>(&parsed.request); }

template <typename T>
const T* request_of(const wire::ParsedRequest& parsed) {
  const auto* request = std::get_if<wire::Request>(&parsed.request);
  return request == nullptr ? nullptr : std::get_if<T>(request);
}

wire::ClockNotify full_notify() {
  wire::ClockNotify n;
  n.event = core::NoticeEvent::hot_upgrade;
  n.id = "id-1";
  n.epoch = "host-a/7";
  n.sent = core::RealtimePoint(core::nanoseconds(1'700'000'000'123'456'789));
  n.max_age = core::milliseconds(1500);
  n.wait = true;
  for (std::int64_t i = 0; i < 16; ++i) {
    const std::int64_t t = 1'700'000'000'000'000'000 + i;
    n.exchange.push_back({t, t + 1, t + 2, t + 3});
  }
  return n;
}

TEST(WireRequest, EveryVerbSurvivesTheRoundTrip) {
  const std::vector<wire::Request> all{wire::GuestSync{-5},
                                       wire::GuestSyncDelimited{1'234'567'890'123},
                                       wire::GuestPing{},
                                       wire::GuestInfo{},
                                       wire::GuestGetTime{},
                                       wire::GuestSetTime{core::nanoseconds(1'700'000'000'000'000'001)},
                                       full_notify(),
                                       wire::ClockExchange{42},
                                       wire::ClockStatus{},
                                       wire::ClockResync{true, true, false},
                                       wire::ClockHistory{7, 99}};
  for (const wire::Request& request : all) {
    const std::string text = wire::request_text(request, R"("q1")");
    ASSERT_LE(text.size(), wire::kMaxRequestLine) << text;
    const auto parsed = parse_request(text);
    ASSERT_EQ(error_of(parsed), nullptr) << text << ": " << error_of(parsed)->text;
    const auto& back = *std::get_if<wire::Request>(&parsed.request);
    EXPECT_EQ(back.index(), request.index());
    EXPECT_EQ(wire::request_text(back, parsed.id_json), text);
  }
}

TEST(WireRequest, NotifyKeepsItsMembers) {
  const auto parsed = parse_request(wire::request_text(full_notify()));
  const auto* n = request_of<wire::ClockNotify>(parsed);
  ASSERT_NE(n, nullptr);
  EXPECT_EQ(n->event, core::NoticeEvent::hot_upgrade);
  EXPECT_EQ(n->epoch, "host-a/7");
  EXPECT_EQ(n->sent->time_since_epoch().count(), 1'700'000'000'123'456'789);
  EXPECT_EQ(n->max_age, core::milliseconds(1500));
  EXPECT_TRUE(n->wait);
  EXPECT_EQ(n->exchange, full_notify().exchange);
}

TEST(WireRequest, ResyncKeepsItsMembers) {
  const auto parsed = parse_request(wire::request_text(wire::ClockResync{true, false, false, core::StepBackend::ntpdig}));
  const auto* resync = request_of<wire::ClockResync>(parsed);
  ASSERT_NE(resync, nullptr);
  EXPECT_TRUE(resync->dry_run);
  EXPECT_FALSE(resync->wait);
  EXPECT_EQ(resync->backend, core::StepBackend::ntpdig);
  const auto plain = parse_request(wire::request_text(wire::ClockResync{}));
  EXPECT_FALSE(request_of<wire::ClockResync>(plain)->backend);
}

TEST(WireRequest, IdIsEchoedAsItCame) {
  EXPECT_EQ(parse_request(R"({"execute":"guest-ping","id":{"a":[1,null]}})").id_json, R"({"a":[1,null]})");
  EXPECT_EQ(parse_request(R"({"execute":"nonsense","id":7})").id_json, "7");
  EXPECT_EQ(parse_request(R"({"execute":"guest-ping"})").id_json, "");
  EXPECT_NE(error_of(parse_request(R"({"execute":"guest-ping","id":")" + std::string(300, 'x') + "\"}")), nullptr);
}

struct Bad {
  const char* name;
  std::string line;
  ErrorClass error_class;
  const char* says;
};

class WireBadRequest : public testing::TestWithParam<Bad> {};

TEST_P(WireBadRequest, GivesAClearError) {
  const auto parsed = parse_request(GetParam().line);
  const RequestError* error = error_of(parsed);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->error_class, GetParam().error_class) << error->text;
  EXPECT_NE(error->text.find(GetParam().says), std::string::npos) << error->text;
}

std::string keys(int n) {
  std::string text = "{";
  for (int i = 0; i < n; ++i) text += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  return text + "}";
}

std::string rounds(int n) {
  std::string text = R"({"execute":"clock-notify","arguments":{"event":"resumed","exchange":[)";
  for (int i = 0; i < n; ++i) text += std::string(i > 0 ? "," : "") + R"({"t1":1,"t2":1,"t3":1,"t4":1})";
  return text + "]}}";
}

const auto kGeneric = ErrorClass::generic;

INSTANTIATE_TEST_SUITE_P(
    Hostile, WireBadRequest,
    testing::Values(
        Bad{"empty", "", kGeneric, "not JSON"}, Bad{"not_json", "hello", kGeneric, "not JSON"},
        Bad{"half", R"({"execute":"guest-ping")", kGeneric, "not JSON"},
        Bad{"trailing", R"({"execute":"guest-ping"}{})", kGeneric, "not JSON"}, Bad{"array", "[]", kGeneric, "must be an object"},
        Bad{"number", "1", kGeneric, "must be an object"}, Bad{"no_execute", "{}", kGeneric, "execute is missing"},
        Bad{"execute_type", R"({"execute":1})", kGeneric, "execute must be a string"},
        Bad{"unknown_verb", R"({"execute":"guest-exec"})", ErrorClass::command_not_found, "guest-exec"},
        Bad{"unknown_top", R"({"execute":"guest-ping","exec":1})", kGeneric, "exec is not known"},
        Bad{"unknown_argument", R"({"execute":"guest-ping","arguments":{"path":"/etc"}})", kGeneric, "arguments.path is not known"},
        Bad{"arguments_type", R"({"execute":"guest-ping","arguments":[]})", kGeneric, "arguments must be an object"},
        Bad{"duplicate", R"({"execute":"guest-ping","execute":"guest-info"})", kGeneric, "appears twice"},
        Bad{"duplicate_inner", R"({"execute":"guest-sync","arguments":{"id":1,"id":2}})", kGeneric, "appears twice"},
        Bad{"too_deep", R"({"execute":"guest-ping","id":[[[[1]]]]})", kGeneric, "deeper than 4"},
        Bad{"very_deep", std::string(4096, '['), kGeneric, "deeper than 4"},
        Bad{"very_deep_objects",
            [] {
              std::string s;
              for (int i = 0; i < 800; ++i) s += "{\"a\":";
              return s;
            }(),
            kGeneric, "deeper than 4"},
        Bad{"keys", R"({"execute":"guest-ping","arguments":)" + keys(17) + "}", kGeneric, "more than 16 keys"},
        Bad{"long", R"({"execute":")" + std::string(4096, 'x') + "\"}", kGeneric, "longer than 4096"},
        Bad{"fraction", R"({"execute":"guest-sync","arguments":{"id":1.5}})", kGeneric, "whole 64-bit"},
        Bad{"exponent", R"({"execute":"guest-sync","arguments":{"id":1e3}})", kGeneric, "whole 64-bit"},
        Bad{"huge_exponent", R"({"execute":"guest-sync","arguments":{"id":1e999999}})", kGeneric, ""},
        Bad{"beyond_int64", R"({"execute":"guest-sync","arguments":{"id":9223372036854775808}})", kGeneric, "64 bits"},
        Bad{"beyond_uint64", R"({"execute":"guest-sync","arguments":{"id":18446744073709551616}})", kGeneric, "64-bit"},
        Bad{"huge", R"({"execute":"guest-sync","arguments":{"id":)" + std::string(3000, '9') + "}}", kGeneric, ""},
        Bad{"nan", R"({"execute":"guest-sync","arguments":{"id":NaN}})", kGeneric, "not JSON"},
        Bad{"nul", std::string("{\"execute\":\"guest-\0ping\"}", 25), kGeneric, "not JSON"},
        Bad{"nul_escaped", R"({"execute":"guest-ping\u0000"})", ErrorClass::command_not_found, "there is no command"},
        Bad{"bad_utf8", "{\"execute\":\"guest-\xc3(\"}", kGeneric, "not JSON"}, Bad{"ff", "{\"execute\":\"\xff\"}", kGeneric, "not JSON"},
        Bad{"missing_argument", R"({"execute":"guest-sync"})", kGeneric, "arguments.id is missing"},
        Bad{"event", R"({"execute":"clock-notify","arguments":{"event":"reboot"}})", kGeneric, "reboot"},
        Bad{"event_internal", R"({"execute":"clock-notify","arguments":{"event":"resync"}})", kGeneric, "command of its own"},
        Bad{"id_long", R"({"execute":"clock-notify","arguments":{"event":"resumed","id":")" + std::string(65, 'a') + "\"}}", kGeneric,
            "64 visible"},
        Bad{"id_control", R"({"execute":"clock-notify","arguments":{"event":"resumed","id":"a\u001b"}})", kGeneric, "visible ASCII"},
        Bad{"backend", R"({"execute":"clock-resync","arguments":{"backend":"/bin/sh"}})", kGeneric, "\"/bin/sh\" is not known here"},
        Bad{"backend_type", R"({"execute":"clock-resync","arguments":{"backend":["ntpdate"]}})", kGeneric, "backend must be a string"},
        Bad{"force", R"({"execute":"clock-notify","arguments":{"event":"resumed","force":true}})", kGeneric, "force is not known"},
        Bad{"age", R"({"execute":"clock-notify","arguments":{"event":"resumed","max-age-ms":0}})", kGeneric, "1..3600000"},
        Bad{"negative_stamp", R"({"execute":"clock-exchange","arguments":{"t1":-1}})", kGeneric, "between 1970 and 2200"},
        Bad{"far_stamp", R"({"execute":"guest-set-time","arguments":{"time":9223372036854775807}})", kGeneric, "between 1970 and 2200"},
        Bad{"rounds", rounds(17), kGeneric, "more than 16"},
        Bad{"round_member", R"({"execute":"clock-notify","arguments":{"event":"resumed","exchange":[{"t1":1,"t2":1,"t3":1}]}})", kGeneric,
            "t4 is missing"},
        Bad{"round_type", R"({"execute":"clock-notify","arguments":{"event":"resumed","exchange":[7]}})", kGeneric,
            "exchange must be an object"},
        Bad{"limit", R"({"execute":"clock-history","arguments":{"limit":201}})", kGeneric, "1..200"},
        Bad{"before", R"({"execute":"clock-history","arguments":{"before":-1}})", kGeneric, "negative"}),
    [](const testing::TestParamInfo<Bad>& bad) { return bad.param.name; });

TEST(WireRequest, ErrorTextsAreShortWhateverWasSent) {
  const auto parsed = parse_request(R"({"execute":")" + std::string(4000, 'x') + "\"}");
  ASSERT_NE(error_of(parsed), nullptr);
  EXPECT_LT(error_of(parsed)->text.size(), 200U);
}

/// Mutations of valid lines: whatever comes out is a request or an error text, never a crash or a hang.
TEST(WireRequest, RandomDamageIsSurvived) {
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", static_cast<int>(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string whole = wire::request_text(full_notify(), "1");
  for (int i = 0; i < 5000; ++i) {
    std::string line = whole;
    for (int damage = 0; damage < 3; ++damage) line[random() % line.size()] = static_cast<char>(random());
    if (random() % 4 == 0) line.resize(random() % line.size());
    const auto parsed = parse_request(line);
    if (const auto* error = error_of(parsed)) {
      EXPECT_FALSE(error->text.empty());
    }
  }
}

}  // namespace
}  // namespace clockmend::tests
