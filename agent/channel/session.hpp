// One connection: lines in, replies out, and what must be remembered between them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/channel/agent.hpp"
#include "agent/channel/exchange.hpp"
#include "agent/channel/freshness.hpp"
#include "agent/channel/line_reader.hpp"
#include "agent/channel/notice_desk.hpp"
#include "agent/channel/token_bucket.hpp"
#include "agent/core/ports/byte_stream.hpp"
#include "agent/core/settings.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::channel {

/// Who is on the other side, and so what is allowed.
enum class Peer {
  host,           // the virtio-serial port: its time is a witness; it cannot force
  administrator,  // control socket, uid 0 or the group: may force, but brings no time
  anybody,        // control socket: may look
};

/// What all connections share. Outlives them.
struct Shared {
  Agent& agent;
  core::ChannelSettings settings;
  std::string version;
  Counters counters{};
  NoticeDesk desk{agent, counters};
  std::size_t waiting = 0;  // requests that wait for a report, over all connections
};

inline constexpr std::size_t kMaxWaiting = 8;
inline constexpr core::seconds kWaitDeadline{30};
/// A local client that says nothing for so long gives its place to others.
inline constexpr core::seconds kIdleLimit{60};

class Session final : private LineReader::Sink {
 public:
  /// `on_end` is called once when a socket's session is over, from the loop; it may destroy the session.
  Session(Shared& shared, std::unique_ptr<core::ByteStream> stream, Peer peer, std::function<void()> on_end);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  [[nodiscard]] core::StreamState state() const { return stream_->state(); }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  struct Wait;

  void on_bytes(std::string_view bytes, core::Arrival arrival);
  void on_state(core::StreamState state, const std::string& why);
  void on_line(std::string_view line, core::Arrival arrival) override;
  void on_oversize() override;
  void forget();
  void end();
  void watch_idle();

  [[nodiscard]] bool within_rate(const wire::Request& request, std::string_view id_json);
  [[nodiscard]] bool permitted(const wire::Request& request, std::string_view id_json);
  void bad_line(wire::ErrorClass c, std::string_view why, std::string_view id_json);
  void refuse(const wire::Request& request, wire::ErrorClass c, std::string_view why, std::string_view id_json);
  void reply(std::string line);

  void handle(const wire::GuestSync& request, const std::string& id);
  void handle(const wire::GuestSyncDelimited& request, const std::string& id);
  void handle(const wire::GuestPing& request, const std::string& id);
  void handle(const wire::GuestInfo& request, const std::string& id);
  void handle(const wire::GuestGetTime& request, const std::string& id);
  void handle(const wire::GuestSetTime& request, const std::string& id);
  void handle(const wire::ClockNotify& request, const std::string& id);
  void handle(const wire::ClockExchange& request, const std::string& id);
  void handle(const wire::ClockStatus& request, const std::string& id);
  void handle(const wire::ClockResync& request, const std::string& id);
  void handle(const wire::ClockHistory& request, const std::string& id);

  /// How a report or the lack of it is told to the one who waits.
  enum class Style { notify_reply, empty_reply };
  void submit(Judgement judged, bool wait, Style style, const std::string& id_json);
  [[nodiscard]] std::shared_ptr<Wait> make_wait(const wire::NotifyReply& ack, Style style, const std::string& id_json);
  [[nodiscard]] Agent::OnReport reporter(const std::shared_ptr<Wait>& wait);
  void answer(Wait& wait, const core::CorrectionReport& report);
  void give_up(Wait* wait);
  void finish(const Wait* wait);
  [[nodiscard]] Circumstances circumstances() const;

  Shared& shared_;
  std::unique_ptr<core::ByteStream> stream_;
  Peer peer_;
  std::function<void()> on_end_;
  LineReader reader_;
  ExchangeLedger ledger_;
  std::vector<std::shared_ptr<Wait>> waits_;
  TokenBucket lines_{100, core::milliseconds(10)};
  TokenBucket queries_{20, core::milliseconds(50)};
  TokenBucket complaints_{10, core::milliseconds(200)};
  core::ClockSnapshot read_at_;  // when the bytes in hand were read: t2
  core::Arrival arrival_ = core::Arrival::live;
  core::MonotonicPoint last_heard_{};
  core::TimerHandle idle_timer_;
  core::TimerHandle end_timer_;
  std::string why_;
  bool ended_ = false;
};

}  // namespace clockmend::channel
