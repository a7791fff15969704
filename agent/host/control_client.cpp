#include "agent/host/control_client.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <exception>
#include <utility>

#include "agent/host/connection.hpp"

namespace clockmend::host {

namespace {

constexpr const char* kTag = "\"cli\"";

asio::awaitable<core::Result<wire::Reply>> ask(Connection& connection, std::string socket, std::string line) {
  const core::Status connected = co_await connection.connect(socket);
  if (!connected) co_return connected.error();
  const core::Status sent = co_await connection.send(std::move(line));
  if (!sent) co_return sent.error();
  for (;;) {
    const core::Result<Incoming> incoming = co_await connection.receive();
    if (!incoming) co_return incoming.error();
    core::Result<wire::Reply> reply = wire::parse_reply(incoming->line.text);
    if (!reply) co_return reply.error();
    if (reply->id_json == kTag) co_return std::move(reply);
  }
}

// co_spawn hands its handler a default value where the coroutine threw; Result has none, so the answer goes by reference.
asio::awaitable<void> ask_into(core::Result<wire::Reply>& answer, Connection& connection, std::string socket, std::string line) {
  answer = co_await ask(connection, std::move(socket), std::move(line));
}

}  // namespace

core::Result<wire::Reply> ask_agent(const std::string& socket, const wire::Request& request, core::nanoseconds deadline,
                                    core::ClockReader& clock) {
  try {
    core::Result<wire::Reply> answer = core::Error{core::ErrorCode::io, "no answer"};
    asio::io_context loop{1};
    Connection connection(loop, clock);
    connection.set_deadline(connection.after(deadline));
    asio::co_spawn(loop, ask_into(answer, connection, socket, wire::request_text(request, kTag) + "\n"), asio::detached);
    loop.run();
    return answer;
  } catch (const std::exception& e) {
    return core::Error{core::ErrorCode::io, std::string{"event loop: "} + e.what()};
  }
}

}  // namespace clockmend::host
